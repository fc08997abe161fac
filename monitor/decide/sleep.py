"""Going to zero and coming back, where a rule's `min` is 0: activity apart from targets."""

from collections.abc import Sequence
from enum import StrEnum

from monitor.decide.combine import Activity, Combined, Proposal


class Asleep(StrEnum):
    """no_say: no metric of the rule speaks of activity. unknown: none is active, one unreadable."""

    NO_SAY = "no_say"
    AWAKE = "awake"
    ASLEEP = "asleep"
    UNKNOWN = "unknown"


def activity(proposals: Sequence[Proposal], least: int) -> Asleep:
    """`least`: the rule's min. One active metric keeps it awake; all must agree on sleep."""
    said = activities(proposals)
    if least > 0 or not said:
        return Asleep.NO_SAY
    if any(one.active for one in said):
        return Asleep.AWAKE
    if any(proposal.wanted is None for proposal in proposals):
        return Asleep.UNKNOWN
    return Asleep.ASLEEP


def wanted(asleep: Asleep, combined: Combined, current: int) -> int | None:
    """The replicas that follow from targets and activity together; None: nothing may be followed.

    Awake means one replica at least; asleep means none, whatever the targets ask for.
    """
    if asleep is Asleep.ASLEEP:
        return 0
    if combined.best is None or combined.best.wanted is None:
        return None
    asked = combined.best.wanted.replicas
    match asleep:
        case Asleep.NO_SAY:
            return asked
        case Asleep.UNKNOWN if current == 0:
            return None
        case _:
            return max(1, asked)


def activities(proposals: Sequence[Proposal]) -> tuple[Activity, ...]:
    return tuple(one.activity for one in proposals if one.activity is not None)


def clause(proposals: Sequence[Proposal]) -> str:
    """`queue is at 0, activation 0; ...`"""
    return "; ".join(one.text for one in activities(proposals))
