"""Where what must outlive every agent is kept, and where decisions are written down."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from monitor.model.decision import Decision
from monitor.model.outcome import Outcome


class StateStore(Protocol):
    """One JSON object for the whole Swarm, changed by compare and swap."""

    async def read(self) -> Mapping[str, Any] | None:
        """The newest state; None where none was ever written. Raises EngineError."""

    async def write(self, state: Mapping[str, Any]) -> None:
        """Puts this one in the place of the one last read or written here.

        Raises Conflict where somebody else wrote meanwhile (read again then), and EngineError.
        """


class Journal(Protocol):
    """History on this node's disk. It never raises: what it could not keep, it counts and says."""

    async def intend(self, decision: Decision) -> None:
        """Keeps that this decision is about to be written; returns once that is on disk."""

    def outcome(self, decision: Decision, outcome: Outcome) -> None:
        """What became of it; kept soon."""

    def note(self, decision: Decision) -> None:
        """A decision without an action, that changed reason or number; kept soon."""

    async def newest(self, limit: int) -> Sequence[tuple[Decision, Outcome | None]]:
        """Decisions of earlier runs and this one, newest first."""
