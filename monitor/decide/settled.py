"""What the stages of scaling came to."""

from dataclasses import dataclass

from monitor.decide.bounds import Restrained
from monitor.decide.combine import Combined, Proposal
from monitor.decide.proposal import Wanted
from monitor.decide.stabilize import Stabilized
from monitor.model.reason import Reason


@dataclass(frozen=True, slots=True)
class Settled:
    """Every stage's number. `hold`: why no replicas may go; it applies if `final` shows it."""

    proposals: tuple[Proposal, ...]
    combined: Combined
    proposed: int
    stabilized: Stabilized
    restrained: Restrained
    hold: Reason | None
    final: int

    @property
    def best(self) -> Proposal:
        assert self.combined.best is not None
        return self.combined.best

    @property
    def wanted(self) -> Wanted:
        """What the winning metric asked for."""
        assert self.best.wanted is not None
        return self.best.wanted
