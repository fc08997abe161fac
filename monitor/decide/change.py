"""What would have to be otherwise for a decision to come out otherwise."""

from collections.abc import Sequence

from monitor.decide import words
from monitor.decide.combine import Proposal
from monitor.decide.settled import Settled
from monitor.decide.sleep import Asleep, activities
from monitor.decide.verdict import Case
from monitor.model.reason import Reason
from monitor.model.rule import ScaleRule, SelectPolicy


def would_change(case: Case, rule: ScaleRule, settled: Settled, reason: Reason) -> str:
    """Clauses such as `cpu above 55%` or `cpu below 45% for 3m10s`, "" where nothing is known."""
    if settled.final != case.replicas:
        return _acting(case, settled)
    match reason:
        case Reason.AT_MAX:
            return _join(f"max above {rule.max}", _fewer(rule, settled))
        case Reason.AT_MIN:
            return _join(_lower_min(rule, settled), _more(settled))
        case Reason.STABILIZED:
            return _stabilized(case, settled)
        case Reason.RATE_LIMITED:
            return _rated(case, rule, settled)
        case Reason.CAPACITY if settled.brake is None:
            return f"room for more than {case.view.room.tasks} tasks"
        case Reason.WITHIN_TOLERANCE:
            return _join(_more(settled), _fewer(rule, settled))
    hold = settled.hold
    if hold is not None:
        return hold.ends
    if settled.failure is not None:
        return f"{settled.failure.metric} can be followed again"
    if reason is Reason.NOT_CONVERGED:
        return _join("all of its tasks run", _more(settled))
    return _join("samples of all tasks", _more(settled))


def _acting(case: Case, settled: Settled) -> str:
    """What would have kept it from acting."""
    if settled.failure is not None:
        return f"{settled.failure.metric} can be followed again"
    band = settled.best.band
    if settled.asleep is Asleep.ASLEEP and settled.final == 0:
        return _join(*(one.wakes for one in activities(settled.proposals)))
    if band is None:
        return ""
    metric = settled.best.metric
    if settled.asleep is Asleep.AWAKE and case.replicas == 0:
        awake = (one.sleeps for one in activities(settled.proposals) if one.active)
        return " and ".join(one for one in awake if one)
    if settled.final > case.replicas:
        return f"{metric} at or below {band.high}"
    return _join(*(f"{metric} at or above {low}" for metric, low in _lows(settled.proposals)))


def _lower_min(rule: ScaleRule, settled: Settled) -> str:
    if settled.asleep is not Asleep.NO_SAY:
        return ""
    return f"min below {rule.min}"


def _more(settled: Settled) -> str:
    """Any one metric is enough to go up; a service that sleeps is woken by its activation."""
    said = activities(settled.proposals)
    if settled.asleep is Asleep.ASLEEP:
        return " or ".join(one.wakes for one in said if one.wakes)
    highs = [f"{one.metric} above {one.band.high}" for one in settled.proposals if one.band]
    return " or ".join(highs)


def _fewer(rule: ScaleRule, settled: Settled) -> str:
    """All metrics must agree to go down, for as long as the window lasts."""
    lows = _lows(settled.proposals)
    if not lows or len(lows) < sum(one.band is not None for one in settled.proposals):
        return ""
    window = rule.scale_down.stabilization_window
    lasting = f" for {words.duration(window)}" if window > 0 else ""
    return " and ".join(f"{metric} below {low}" for metric, low in lows) + lasting


def _lows(proposals: Sequence[Proposal]) -> list[tuple[str, str]]:
    return [(one.metric, one.band.low) for one in proposals if one.band and one.band.low]


def _stabilized(case: Case, settled: Settled) -> str:
    wait = settled.stabilized.wait
    lasting = "" if wait is None else f" for {words.duration(wait)}"
    if settled.proposed < case.replicas:
        parts = [f"{metric} below {low}" for metric, low in _lows(settled.proposals)]
        return (" and ".join(parts) or "the same") + lasting
    return (_more(settled) or "the same") + lasting


def _rated(case: Case, rule: ScaleRule, settled: Settled) -> str:
    fewer = settled.proposed < case.replicas
    behavior = rule.scale_down if fewer else rule.scale_up
    name = "scale_down" if fewer else "scale_up"
    if behavior.select_policy is SelectPolicy.DISABLED:
        return f"a select_policy of {name} other than disabled"
    wait = settled.restrained.wait
    if wait is None:
        return f"policies of {name} that allow a change"
    return f"the same in {words.duration(wait)}"


def _join(*clauses: str) -> str:
    return ", or ".join(clause for clause in clauses if clause)
