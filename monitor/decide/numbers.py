"""Metrics that are one number for a whole service: read, computed or counted.

A number that cannot be believed is no number: what failed, is empty, old, infinite or below
zero asks for nothing, and so can never let replicas go.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.decide import words
from monitor.decide.metric import UNITS, Gathered
from monitor.decide.waiting import waits
from monitor.model.decision import Input
from monitor.model.formula import FormulaFailed, evaluate, names_in
from monitor.model.rule import ScaleRule
from monitor.model.scalar import Formula, JsonUrl, PrometheusQuery, ScalarMetric, TasksPending
from monitor.model.usage import Usage
from monitor.model.view import ServiceView

LEAST_STALE = 30.0
STALE_INTERVALS = 3.0


@dataclass(frozen=True, slots=True)
class Read:
    """value: None where there is none, and then `problem` is a clause on why.

    missing, unready: of the tasks whose samples it was made of.
    """

    value: float | None
    problem: str = ""
    missing: tuple[str, ...] = ()
    unready: tuple[str, ...] = ()


@dataclass(slots=True)
class Numbers:
    """Every number of a rule by the metric's name, each computed once and when asked for.

    gathered: the samples of the rule's other metrics, which formulas may sum up.
    """

    rule: ScaleRule
    view: ServiceView
    usage: Usage
    gathered: Mapping[str, Gathered]
    _known: dict[str, Read] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def of(self, name: str) -> Read:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._read(name)
        return known

    def input(self, metric: ScalarMetric) -> Input:
        """The number as the decision shows it; it is about no task."""
        found = self.of(metric.name)
        return Input(metric.name, "", found.value, found.value is not None, found.problem)

    def _read(self, name: str) -> Read:
        if name in self.gathered:
            return summed(self.gathered[name])
        for metric in self.rule.metrics:
            if metric.name == name and isinstance(metric, ScalarMetric):
                return self._scalar(metric)
        return Read(None, f"there is no metric {name}")

    def _scalar(self, metric: ScalarMetric) -> Read:
        match metric.source:
            case TasksPending():
                return Read(float(sum(waits(task) for task in self.view.tasks)))
            case Formula(expression):
                return self._formula(metric, expression)
            case PrometheusQuery() | JsonUrl():
                return self._sourced(metric, metric.source.interval)

    def _sourced(self, metric: ScalarMetric, interval: float) -> Read:
        name = metric.name
        number = self.usage.numbers.get(name)
        if number is None:
            return Read(None, f"{name} has not been read yet")
        stale = max(LEAST_STALE, STALE_INTERVALS * interval)
        if number.value is None:
            return Read(None, f"{name} could not be read: {number.problem or 'no reason is known'}")
        if number.age > stale:
            since = words.duration(number.age)
            because = f" ({number.problem})" if number.problem else ""
            return Read(None, f"{name} was last read {since} ago{because}")
        return _believed(metric, number.value)

    def _formula(self, metric: ScalarMetric, expression: str) -> Read:
        if metric.name in self._open:
            return Read(None, f"{metric.name} is a formula of itself")
        self._open.append(metric.name)
        try:
            inputs = {name: self.of(name) for name in names_in(expression)}
            values = {
                name: read.problem if read.value is None else read.value
                for name, read in inputs.items()
            }
            value = evaluate(expression, values)
        except FormulaFailed as failed:
            return Read(None, f"{metric.name} has no value: {failed}")
        except (SyntaxError, ValueError):
            return Read(None, f"{metric.name} is no formula")
        finally:
            self._open.pop()
        found = _believed(metric, value)
        missing = tuple(task for read in inputs.values() for task in read.missing)
        unready = tuple(task for read in inputs.values() for task in read.unready)
        return Read(found.value, found.problem, missing, unready)


def _believed(metric: ScalarMetric, value: float) -> Read:
    """An input of formulas may be below zero, since the formula may be made for that."""
    if not math.isfinite(value):
        return Read(None, f"{metric.name} is {value}, which is no number to scale by")
    if value < 0 and metric.target is not None:
        return Read(
            None,
            f"{metric.name} is {words.number(value)}; below zero no replicas can be worked out",
        )
    return Read(value)


def summed(gathered: Gathered) -> Read:
    """The sum over a service's tasks, in cores, bytes or bytes per second.

    A sum that lacks a part is no sum; of tasks that start nothing is known yet.
    """
    name, grouped = gathered.metric.name, gathered.grouped
    if grouped.missing:
        lacking = words.tasks(len(grouped.missing))
        return Read(None, f"{lacking} without a {name} sample", grouped.missing, grouped.unready)
    if grouped.unready and not grouped.ready:
        starting = words.tasks(len(grouped.unready))
        return Read(None, f"{starting} too fresh for {name}", (), grouped.unready)
    # Whole numbers, so that the sum does not depend on the order of the tasks.
    unit = UNITS[gathered.metric.kind]
    total = sum(max(0, round(gathered.samples[task].value * unit)) for task in grouped.ready)
    return Read(total / unit, unready=grouped.unready)
