"""Several metrics: the largest proposal wins, and a failing metric never lets replicas go.

As HorizontalPodAutoscaler does: where some metrics fail, the others may still scale up or
hold, since the failing one could only ask for more; scaling down would need all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.decide.band import Band
from monitor.decide.proposal import Fault, Wanted


class Source(StrEnum):
    """Where a metric's numbers come from, in HorizontalPodAutoscaler's words."""

    RESOURCE = "Resource"
    CONTAINER_RESOURCE = "ContainerResource"
    PODS = "Pods"
    OBJECT = "Object"
    EXTERNAL = "External"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Activity:
    """Whether a metric keeps a service awake that may sleep.

    text: a clause ("queue is at 0, activation 0"). wakes, sleeps: what would change it ("queue
    above 0", "queue at or below 0"); "" where nothing would.
    """

    active: bool
    text: str
    wakes: str = ""
    sleeps: str = ""


def active_above(metric: str, level: str, least: str, *, active: bool) -> Activity:
    """`level` and `least` (the activation) as people read them."""
    return Activity(
        active,
        f"{metric} is at {level}, activation {least}",
        f"{metric} above {least}",
        f"{metric} at or below {least}",
    )


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one metric asks for.

    outcome: the replicas wanted, or why there are none.
    text: a clause on its level ("cpu is at 95% of its limit, target 50%"), or a whole sentence
        on the fault.
    missing, unready: ids of tasks without a usable sample, and of those too fresh to judge; none
        where the metric fails.
    rising: whether the short window, not the whole one, asks for this.
    recheck: seconds until an unready task may count by time alone.
    activity: None where the metric has no say in whether the service sleeps.
    band: None where the metric fails.
    """

    metric: str
    source: Source
    outcome: Wanted | Fault
    text: str
    missing: tuple[str, ...] = ()
    unready: tuple[str, ...] = ()
    rising: bool = False
    recheck: float | None = None
    activity: Activity | None = None
    band: Band | None = None

    @property
    def wanted(self) -> Wanted | None:
        return self.outcome if isinstance(self.outcome, Wanted) else None


@dataclass(frozen=True, slots=True)
class Combined:
    """best: the winner; None where no metric may be followed. failure: the first that failed."""

    best: Proposal | None
    failure: Proposal | None


def combine(proposals: Sequence[Proposal], current: int) -> Combined:
    failure = next((proposal for proposal in proposals if proposal.wanted is None), None)
    best: Proposal | None = None
    most = -1
    for proposal in proposals:
        if proposal.wanted is not None and proposal.wanted.replicas > most:
            best, most = proposal, proposal.wanted.replicas
    if failure is not None and most < current:
        best = None
    return Combined(best, failure)
