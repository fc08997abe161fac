"""When services that have not converged are to be read again."""

from collections.abc import Iterable
from dataclasses import dataclass

SOON = 1.0
LATER = 2.0
_PATIENCE = 30.0


@dataclass(slots=True)
class _Poll:
    at: float
    changed_at: float


class Polls:
    """Every second, after 30 s without a change every 2 s. Monotonic seconds."""

    def __init__(self) -> None:
        self._polls: dict[str, _Poll] = {}

    def __contains__(self, service_id: str) -> bool:
        return service_id in self._polls

    def __len__(self) -> int:
        return len(self._polls)

    def ids(self) -> Iterable[str]:
        return self._polls.keys()

    def read(self, service_id: str, now: float, *, changed: bool) -> None:
        """It was read and has not converged; the next read is due after the pause."""
        known = self._polls.get(service_id)
        changed_at = now if changed or known is None else known.changed_at
        pause = SOON if now - changed_at < _PATIENCE else LATER
        self._polls[service_id] = _Poll(now + pause, changed_at)

    def drop(self, service_id: str) -> None:
        self._polls.pop(service_id, None)

    def clear(self) -> None:
        self._polls.clear()

    def due(self, now: float) -> list[str]:
        return [service_id for service_id, poll in self._polls.items() if poll.at <= now]

    def next_at(self) -> float | None:
        return min((poll.at for poll in self._polls.values()), default=None)
