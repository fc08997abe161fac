"""The numbers of each stage, as a decision shows them."""

from monitor.decide import words
from monitor.decide.bounds import Binding
from monitor.decide.combine import Proposal
from monitor.decide.proposal import Held
from monitor.decide.settled import Settled
from monitor.decide.sleep import Asleep, clause
from monitor.model.decision import Stage
from monitor.model.room import Room


def settled(result: Settled, room: Room) -> tuple[Stage, ...]:
    """The stages `activation` and `capacity` only where they have something to say."""
    stages = [
        Stage("raw", result.wanted.raw, _metrics(result)),
        Stage("tolerance", result.wanted.replicas, _tolerance(result)),
    ]
    if result.asleep is not Asleep.NO_SAY:
        note = f"{result.asleep}: {clause(result.proposals)}"
        stages.append(Stage("activation", result.proposed, note))
    stages += [
        Stage("stabilized", result.stabilized.value, _stabilized(result)),
        Stage("rate_limited", result.restrained.rate_limited, _rates(result)),
        Stage("bounded", result.restrained.bounded, _bounds(result)),
    ]
    if room.tasks is not None:
        stages.append(Stage("capacity", result.fitting, f"{room.tasks} fit"))
    return (*stages, Stage("final", result.final, _hold(result)))


def to_bound(target: int) -> tuple[Stage, ...]:
    return (
        Stage("bounded", target, "outside the bounds, so no metric was asked"),
        Stage("final", target),
    )


def failed(failure: Proposal, current: int) -> tuple[Stage, ...]:
    return (Stage("raw", None, failure.text), Stage("final", current))


def _metrics(result: Settled) -> str:
    if result.failure is not None:
        return result.best.text
    return "; ".join(
        proposal.text
        if proposal.wanted is None
        else f"{proposal.text}: {words.replicas(proposal.wanted.replicas)}"
        for proposal in result.proposals
    )


def _tolerance(result: Settled) -> str:
    match result.wanted.held:
        case Held.MISSING:
            return "held by tasks without a sample"
        case Held.UNREADY:
            return "held by tasks that are starting"
        case None:
            return "judged on the short window" if result.best.rising else ""


def _stabilized(result: Settled) -> str:
    by, wait = result.stabilized.by, result.stabilized.wait
    if by is None or wait is None:
        return ""
    return f"{words.replicas(by.replicas)} counts for another {words.duration(wait)}"


def _rates(result: Settled) -> str:
    if result.restrained.rate_limited == result.stabilized.value:
        return ""
    wait = result.restrained.wait
    return "" if wait is None else f"allows more in {words.duration(wait)}"


def _bounds(result: Settled) -> str:
    match result.restrained.binding:
        case Binding.MIN:
            return "min"
        case Binding.MAX:
            return "max"
        case _:
            return ""


def _hold(result: Settled) -> str:
    hold = result.hold
    if hold is None or result.final == result.fitting:
        return ""
    return f"held: {hold.reason}"
