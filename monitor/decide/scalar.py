"""A number for the whole service, judged against its target as HorizontalPodAutoscaler's External.

`per: replica` is its averageValue: each replica can take `target`, so `ceil(value / target)` are
wanted. `per: total` is its value: a level of the whole that falls as replicas are added, so the
ready tasks times `value / target`.
"""

from dataclasses import dataclass

from monitor.decide import words
from monitor.decide.band import Band, ratios
from monitor.decide.combine import Activity, Proposal, Source, active_above
from monitor.decide.metric import counting_of
from monitor.decide.numbers import Read
from monitor.decide.proposal import Counting, Fault, Wanted, from_average, from_value
from monitor.model.rule import ScaleRule
from monitor.model.scalar import Per, ScalarMetric
from monitor.model.view import ServiceView

_ONE = 10**9  # a target in whole units: a billionth of it is noise
_MOST = 1e12  # targets


@dataclass(frozen=True, slots=True)
class _Asked:
    metric: ScalarMetric
    target: float
    value: float
    counting: Counting
    ready: int


def judge_scalar(
    rule: ScaleRule, view: ServiceView, metric: ScalarMetric, target: float, read: Read
) -> Proposal:
    if read.value is None:
        return _fault(metric, Fault.SOURCE_FAILED, read.problem)
    if target <= 0:
        text = f"the target of {metric.name} is {words.number(target)}; write one above 0"
        return _fault(metric, Fault.SOURCE_FAILED, text)
    asked = _Asked(metric, target, read.value, counting_of(rule, view), len(view.running_tasks))
    outcome = _ask(asked)
    if isinstance(outcome, Fault):
        text = f"none of {view.service.name}'s tasks runs, so {metric.name} cannot be shared out"
        return _fault(metric, outcome, text)
    return Proposal(
        metric=metric.name,
        source=Source.EXTERNAL,
        outcome=outcome,
        text=_text(asked),
        missing=read.missing,
        unready=read.unready,
        activity=_activity(metric, read.value),
        band=_band(asked),
    )


def _ask(asked: _Asked) -> Wanted | Fault:
    value = round(min(asked.value / asked.target, _MOST) * _ONE)
    counting = asked.counting
    if asked.metric.per is Per.REPLICA:
        return from_average(value, _ONE, counting.current, counting)
    return from_value(value, _ONE, asked.ready, asked.ready, counting)


def _text(asked: _Asked) -> str:
    value, target = words.number(asked.value), words.number(asked.target)
    if asked.metric.per is Per.REPLICA:
        return f"{asked.metric.name} is at {value}, target {target} per replica"
    return f"{asked.metric.name} is at {value}, target {target}"


def _band(asked: _Asked) -> Band:
    """Of `per: replica` the levels are those of the whole number, as it is read."""
    counting = asked.counting
    if asked.metric.per is Per.REPLICA:
        low, high = ratios(counting, counting.current)
        times = asked.target * max(1, counting.current)
        high = high if counting.current else 0.0
    else:
        low, high = ratios(counting, counting.tasks(asked.ready))
        times = asked.target
    return Band(words.number(low * times) if low > 0 else "", words.number(high * times))


def _activity(metric: ScalarMetric, value: float) -> Activity:
    spelled = words.number(value), words.number(metric.activation)
    return active_above(metric.name, *spelled, active=value > metric.activation)


def _fault(metric: ScalarMetric, fault: Fault, text: str) -> Proposal:
    return Proposal(metric.name, Source.EXTERNAL, fault, text)
