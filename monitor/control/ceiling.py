"""How many writes a minute the whole Swarm has to bear, and whose turn is next."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.model.outcome import Outcome, OutcomeKind

DEFAULT_WRITES_PER_MINUTE = 30
WINDOW = 60.0
"""Seconds; there are never more than the ceiling's writes in any window of this length."""


@dataclass(frozen=True, slots=True)
class NoRoom:
    """until: the earliest monotonic time at which it might be its turn."""

    per_minute: int
    until: float


@dataclass(slots=True)
class WriteCeiling:
    """A sliding window over monotonic time.

    A write takes its place when it is admitted and gives it back WINDOW seconds after it ended:
    at which moment between those two it reached the Swarm nobody knows. One that was never
    sent gives it back at once. Who found no place waits in a line, first come first served.
    """

    per_minute: int = DEFAULT_WRITES_PER_MINUTE
    _under_way: set[str] = field(default_factory=set)
    _ended: list[float] = field(default_factory=list)
    _line: dict[str, None] = field(default_factory=dict)

    def room(self, service_id: str, now: float) -> NoRoom | None:
        """None: the service may be written to now.

        Else its turn is not before as many places are free as stand before it in the line, and
        its own.
        """
        free = self.per_minute - self.used(now)
        before = self._before(service_id, free + len(self._ended))
        if before < free:
            return None
        index = before - free
        leaves = self._ended[index] if index < len(self._ended) else now
        return NoRoom(self.per_minute, leaves + WINDOW)

    def _before(self, service_id: str, most: int) -> int:
        """How many wait before it, counted up to `most`."""
        before = 0
        for waiting in self._line:
            if waiting == service_id or before >= most:
                break
            before += 1
        return before

    def stand(self, service_id: str, *, waits: bool) -> None:
        """It found no room and waits, with the place in the line that it has; or it does not."""
        if waits:
            self._line.setdefault(service_id)
        else:
            self.leave(service_id)

    def leave(self, service_id: str) -> None:
        """It does not want to write any more, or is gone."""
        self._line.pop(service_id, None)

    def start(self, service_id: str, write_id: str) -> None:
        self.leave(service_id)
        self._under_way.add(write_id)

    def end(self, write_id: str, outcome: Outcome, now: float) -> None:
        """A second end of the same write counts for nothing."""
        if write_id in self._under_way:
            self._under_way.discard(write_id)
            if outcome.posted or outcome.kind is OutcomeKind.UNKNOWN:
                self._ended.append(now)

    def used(self, now: float) -> int:
        """Places taken now."""
        while self._ended and self._ended[0] + WINDOW <= now:
            self._ended.pop(0)
        return len(self._ended) + len(self._under_way)

    def ended(self) -> tuple[float, ...]:
        """When the writes ended that take places, oldest first."""
        return tuple(self._ended)

    def take_over(self, ended: Iterable[float]) -> None:
        """The writes of whoever wrote before; they are counted in place of those known."""
        self._ended = sorted(ended)

    @property
    def waiting(self) -> int:
        return len(self._line)
