"""The reason, sentence, stages and conditions of numbers that are settled."""

from monitor.decide import conditions, fallback, flapping, sentence, stages
from monitor.decide.bounds import Binding
from monitor.decide.capacity import room_clause
from monitor.decide.change import would_change
from monitor.decide.combine import Proposal
from monitor.decide.proposal import Fault, Held
from monitor.decide.settled import Settled
from monitor.decide.sleep import Asleep
from monitor.decide.verdict import Case, Verdict
from monitor.model.decision import Condition, Input
from monitor.model.reason import Reason
from monitor.model.rule import MissingSamples, ScaleRule

_HELD: dict[Held | None, Reason] = {
    Held.MISSING: Reason.MISSING_SAMPLES,
    Held.UNREADY: Reason.NOT_CONVERGED,
}
_BINDINGS = {Reason.AT_MAX: "max", Reason.AT_MIN: "min"}
_RESTRAINTS = {
    Binding.MAX: "max",
    Binding.MIN: "min",
    Binding.UP_RATE: Reason.RATE_LIMITED.value,
    Binding.DOWN_RATE: Reason.RATE_LIMITED.value,
}


def failed(case: Case, rule: ScaleRule, failure: Proposal, inputs: tuple[Input, ...]) -> Verdict:
    """No metric may be followed. The size in force is remembered: unseen load is not calm."""
    hold = rule.missing_samples is MissingSamples.HOLD
    wait = fallback.waits(case, rule)
    reason = _why_failed(failure)
    waits = [one for one in (failure.recheck, wait) if one is not None]
    return Verdict(
        desired=case.replicas,
        reason=reason,
        text=sentence.failed(case, rule, failure, wait),
        recommendation=case.replicas if hold else None,
        stages=stages.failed(failure, case.replicas),
        inputs=inputs,
        conditions=(
            conditions.readable(),
            conditions.failing(failure),
            *fallback.condition(rule, wait),
            *flapping_conditions(case, rule),
        ),
        recheck_after=min(waits, default=None),
        binding=reason.value,
        would_change=(
            "a reservation or limit on the service, or an absolute target in the rule"
            if reason is Reason.MISSING_REQUEST
            else f"{failure.metric} can be followed again"
        ),
        failing=True,
    )


def _why_failed(failure: Proposal) -> Reason:
    if failure.outcome is Fault.MISSING_REQUEST:
        return Reason.MISSING_REQUEST
    return Reason.MISSING_SAMPLES


def conclude(case: Case, rule: ScaleRule, settled: Settled, inputs: tuple[Input, ...]) -> Verdict:
    reason = _reason(case, rule, settled)
    return Verdict(
        desired=settled.final,
        reason=reason,
        text=sentence.conclusion(case, rule, settled, reason),
        recommendation=_remembered(case, settled),
        stages=stages.settled(settled, case.view.room),
        inputs=inputs,
        conditions=_conditions(case, rule, settled, reason),
        recheck_after=_recheck(settled, reason),
        binding=_binding(settled, reason),
        would_change=would_change(case, rule, settled, reason),
        failing=settled.failure is not None,
    )


def _remembered(case: Case, settled: Settled) -> int:
    """What is not believed is not remembered either: scale-down needs a calm window after it."""
    if settled.doubt is not None:
        return max(case.replicas, settled.proposed)
    return settled.proposed


def _reason(case: Case, rule: ScaleRule, settled: Settled) -> Reason:
    current, proposed = case.replicas, settled.proposed
    if settled.final != current:
        return _acting(current, settled)
    if proposed == current:
        return _staying(current, settled)
    if proposed > current >= rule.max:
        return Reason.AT_MAX
    if proposed < current <= rule.min:
        return Reason.AT_MIN
    if settled.doubt is not None:
        return settled.doubt.reason
    if settled.stabilized.value == current:
        return Reason.STABILIZED
    if settled.restrained.bounded == current:
        return Reason.RATE_LIMITED
    if settled.brake is not None:
        return settled.brake.reason
    return Reason.CAPACITY


def _acting(current: int, settled: Settled) -> Reason:
    if settled.final > current:
        if settled.failure is not None:
            return Reason.FALLBACK
        woken = current == 0 and settled.asleep is Asleep.AWAKE
        return Reason.ACTIVATED if woken else Reason.ABOVE_TARGET
    sleeps = settled.final == 0 and settled.asleep is Asleep.ASLEEP
    return Reason.INACTIVE if sleeps else Reason.BELOW_TARGET


def _staying(current: int, settled: Settled) -> Reason:
    if settled.failure is not None:
        return _why_failed(settled.failure)
    if settled.wanted.held is not None:
        return _HELD[settled.wanted.held]
    least = settled.asleep is Asleep.ASLEEP or settled.wanted.replicas < current
    return Reason.AT_MIN if least else Reason.WITHIN_TOLERANCE


def _binding(settled: Settled, reason: Reason) -> str:
    """The last stage that changed the number, as the reason says where it blocks."""
    if reason in _BINDINGS:
        return _BINDINGS[reason]
    if reason.blocks:
        return reason.value
    if settled.fitting != settled.restrained.bounded:
        return Reason.CAPACITY.value
    if settled.restrained.binding is not Binding.NONE:
        return _RESTRAINTS[settled.restrained.binding]
    if settled.stabilized.value != settled.proposed:
        return Reason.STABILIZED.value
    if settled.failure is not None:
        return Reason.FALLBACK.value
    if settled.proposed != settled.wanted.replicas:
        return "activation"
    return "" if settled.wanted.replicas == settled.wanted.raw else "tolerance"


def _conditions(
    case: Case, rule: ScaleRule, settled: Settled, reason: Reason
) -> tuple[Condition, ...]:
    off = settled.stabilized.value != settled.proposed
    upwards = settled.proposed >= case.replicas and rule.tuning.upscale_cap is None
    able = conditions.ready(stabilized_up=off and upwards, stabilized_down=off and not upwards)
    active = (
        conditions.active(settled.best.metric)
        if settled.failure is None
        else conditions.failing(settled.failure)
    )
    wait = None if settled.failure is None else 0.0
    more = (*fallback.condition(rule, wait), *flapping_conditions(case, rule))
    return able, active, _limited(case, settled, reason), *more


def _limited(case: Case, settled: Settled, reason: Reason) -> Condition:
    hold = settled.hold
    if hold is not None and reason is hold.reason:
        return conditions.held(hold.name, hold.why)
    if settled.fitting != settled.restrained.bounded:
        return conditions.held("InsufficientCapacity", room_clause(case.view))
    return conditions.limited(settled.restrained.binding, _limit(settled))


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


def flapping_conditions(case: Case, rule: ScaleRule) -> tuple[Condition, ...]:
    """Where no further change of direction is allowed: how often, and what would help."""
    events, now, most = case.history.events, case.now.mono, rule.max_direction_changes
    if flapping.wait_before_down(events, most, now) is None:
        return ()
    share = flapping.suggested_tolerance(events, case.replicas, now)
    return (
        conditions.flapping(
            f"it changed direction {flapping.turns(events, now)} times within the hour; half of "
            f"the changes would not have happened with a tolerance of {share * 100:.0f}%"
        ),
    )


def _recheck(settled: Settled, reason: Reason) -> float | None:
    """The earliest time at which a window, a period, a hold or a task's youth ends by itself."""
    waits = [proposal.recheck for proposal in settled.proposals]
    if reason not in (Reason.AT_MAX, Reason.AT_MIN):
        waits += [settled.stabilized.wait, settled.restrained.wait]
    waits += [hold.wait for hold in (settled.doubt, settled.brake) if hold is not None]
    return min((wait for wait in waits if wait is not None), default=None)
