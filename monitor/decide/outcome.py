"""The reason, sentence, stages and conditions of numbers that are settled."""

from monitor.decide import conditions, sentence, stages
from monitor.decide.bounds import Binding
from monitor.decide.combine import Combined
from monitor.decide.proposal import Fault, Held
from monitor.decide.settled import Settled
from monitor.decide.verdict import Case, Verdict
from monitor.model.decision import Condition, Input
from monitor.model.reason import Reason
from monitor.model.rule import MissingSamples, ScaleRule

_HELD: dict[Held | None, Reason] = {
    Held.MISSING: Reason.MISSING_SAMPLES,
    Held.UNREADY: Reason.NOT_CONVERGED,
}


def failed(case: Case, rule: ScaleRule, combined: Combined, inputs: tuple[Input, ...]) -> Verdict:
    """No metric may be followed. The size in force is remembered: unseen load is not calm."""
    failure = combined.failure
    assert failure is not None  # a rule has at least one metric
    missing_request = failure.outcome is Fault.MISSING_REQUEST
    hold = rule.missing_samples is MissingSamples.HOLD
    return Verdict(
        desired=case.replicas,
        reason=Reason.MISSING_REQUEST if missing_request else Reason.MISSING_SAMPLES,
        text=f"stays at {case.replicas}: {failure.text}",
        recommendation=case.replicas if hold else None,
        stages=stages.failed(failure),
        inputs=inputs,
        conditions=(conditions.readable(), conditions.failing(failure)),
        recheck_after=failure.recheck,
    )


def conclude(case: Case, rule: ScaleRule, settled: Settled, inputs: tuple[Input, ...]) -> Verdict:
    reason = _reason(case, rule, settled)
    not_converged = reason is Reason.NOT_CONVERGED
    return Verdict(
        desired=settled.final,
        reason=reason,
        text=sentence.conclusion(case, rule, settled, reason),
        recommendation=(
            max(case.replicas, settled.proposed) if not_converged else settled.proposed
        ),
        stages=stages.settled(settled),
        inputs=inputs,
        conditions=_conditions(case, settled, reason),
        recheck_after=_recheck(settled, reason),
    )


def _reason(case: Case, rule: ScaleRule, settled: Settled) -> Reason:
    current, proposed = case.replicas, settled.proposed
    if settled.final > current:
        return Reason.ABOVE_TARGET
    if settled.final < current:
        return Reason.BELOW_TARGET
    if proposed == current:
        return _HELD.get(settled.wanted.held, Reason.WITHIN_TOLERANCE)
    if proposed > current >= rule.max:
        return Reason.AT_MAX
    if proposed < current <= rule.min:
        return Reason.AT_MIN
    if proposed < current and settled.hold is not None:
        return settled.hold
    if settled.stabilized.value == current:
        return Reason.STABILIZED
    return Reason.RATE_LIMITED


def _conditions(case: Case, settled: Settled, reason: Reason) -> tuple[Condition, ...]:
    off = settled.stabilized.value != settled.proposed
    upwards = settled.proposed >= case.replicas
    able = conditions.ready(stabilized_up=off and upwards, stabilized_down=off and not upwards)
    active = conditions.active(settled.best.metric)
    if reason in (Reason.MISSING_SAMPLES, Reason.NOT_CONVERGED) and settled.hold is not None:
        name = "MissingSamples" if reason is Reason.MISSING_SAMPLES else "NotConverged"
        return able, active, conditions.held(name, "fewer replicas are not believed yet")
    return able, active, conditions.limited(settled.restrained.binding, _limit(settled))


def _limit(settled: Settled) -> str:
    match settled.restrained.binding:
        case Binding.NONE:
            return "the wanted count is within the bounds and rates"
        case Binding.MIN:
            return "the rule's min binds"
        case Binding.MAX:
            return "the rule's max binds"
        case Binding.UP_RATE:
            return "the rule's scale_up policies bind"
        case Binding.DOWN_RATE:
            return "the rule's scale_down policies bind"


def _recheck(settled: Settled, reason: Reason) -> float | None:
    """The earliest time at which a window, a period or a task's youth ends by itself."""
    waits = [proposal.recheck for proposal in settled.proposals]
    if reason not in (Reason.AT_MAX, Reason.AT_MIN):
        waits += [settled.stabilized.wait, settled.restrained.wait]
    return min((wait for wait in waits if wait is not None), default=None)
