"""What the stages of scaling came to."""

from dataclasses import dataclass

from monitor.decide.bounds import Restrained
from monitor.decide.combine import Proposal
from monitor.decide.holds import Hold
from monitor.decide.proposal import Wanted
from monitor.decide.sleep import Asleep
from monitor.decide.stabilize import Stabilized


@dataclass(frozen=True, slots=True)
class Wish:
    """What metrics and activity ask for, before anything restrains it.

    best: the proposal that is followed. failure: the metric in whose place `best` is the fallback.
    """

    proposals: tuple[Proposal, ...]
    best: Proposal
    asleep: Asleep
    proposed: int
    failure: Proposal | None = None

    @property
    def wanted(self) -> Wanted:
        """What the proposal that is followed asked for."""
        assert self.best.wanted is not None
        return self.best.wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Every stage's number.

    fitting: of the bounded number what the nodes have room for.
    doubt, brake: what holds the change back; None where it would not be made anyway.
    """

    wish: Wish
    stabilized: Stabilized
    restrained: Restrained
    fitting: int
    doubt: Hold | None
    brake: Hold | None
    final: int

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        return self.wish.proposals

    @property
    def best(self) -> Proposal:
        return self.wish.best

    @property
    def asleep(self) -> Asleep:
        return self.wish.asleep

    @property
    def proposed(self) -> int:
        return self.wish.proposed

    @property
    def failure(self) -> Proposal | None:
        return self.wish.failure

    @property
    def wanted(self) -> Wanted:
        return self.wish.wanted

    @property
    def hold(self) -> Hold | None:
        """Doubt goes first: it says more of the load than a brake does."""
        return self.doubt or self.brake
