"""What a rule judges, gathered for one decision: samples of tasks, numbers of services."""

import math

from monitor.decide import metrics_of
from monitor.model.rule import AnyRule, ScaleRule
from monitor.model.scalar import JsonUrl, Number, PrometheusQuery
from monitor.model.sources import sources_of
from monitor.model.usage import Usage
from monitor.model.view import ServiceView
from monitor.ports.numbers import NumberReader
from monitor.ports.usage import UsageSource
from monitor.sources.substitute import Subject, substituted

LEAST_SHARED = 3.0
"""Seconds of usage that are worth judging; also the least span of a CPU sample."""


def measure(
    rule: AnyRule, view: ServiceView, source: UsageSource, numbers: NumberReader, now: float
) -> Usage:
    """Samples of the live tasks and numbers, by metric name; `now` in monotonic seconds."""
    tasks = [task.id for task in view.tasks if task.live]
    shared = _shared_for(view, now) if isinstance(rule, ScaleRule) else math.inf
    samples = {
        metric.name: source.samples(
            tasks,
            metric.kind,
            min(metric.window, shared),
            min(metric.rising_window, shared),
            now,
        )
        for metric in metrics_of(rule)
    }
    return Usage(samples, _numbers(rule, view, numbers, now))


def _shared_for(view: ServiceView, now: float) -> float:
    """Seconds for which the tasks of now have shared the load: no window reaches further back.

    What four tasks used when they were two says nothing about four, and would ask for more
    than is needed after every scale-up. Worked example: 1.2 cores on 2 tasks of 0.5 cores use
    100 % of them; 4 tasks use 60 %, of which 5 follow. A window that still holds the time of
    two tasks shows 80 %, and 7 would follow.
    """
    newest = max(view.running_since.values(), default=-math.inf)
    return max(now - newest, LEAST_SHARED)


def _numbers(
    rule: AnyRule, view: ServiceView, numbers: NumberReader, now: float
) -> dict[str, Number]:
    """Without those that were never read yet."""
    subject = Subject(view.service.name, view.service.stack, rule.name)
    found: dict[str, Number] = {}
    for name, source in sources_of(rule).items():
        if isinstance(source, PrometheusQuery | JsonUrl):
            number = numbers.number(substituted(source, subject), now)
            if number is not None:
                found[name] = number
    return found
