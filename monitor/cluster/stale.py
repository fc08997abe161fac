"""Which facts an event has put in doubt, and from when on they are to be read again."""

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.model.event import Event

# Events come in volleys (kill, die, stop): wait for their end, but never for long.
DEBOUNCE = 0.05
# A service that events keep coming for is not read more often than this.
PACE = 0.25
# The node tells its manager of a task's new state up to 100 ms after the container's event
# (swarmkit dispatcher, maxBatchInterval), and the orchestrator acts later still.
AFTERMATH = 2.0

_TELLING = frozenset({"start", "die", "oom", "kill", "health_status"})


@dataclass(slots=True)
class Mark:
    """`whole`: the service too, not its tasks alone. `urgent`: for our own write."""

    at: float
    whole: bool
    urgent: bool = False


class StaleMarks:
    """All times in monotonic seconds."""

    def __init__(self) -> None:
        self._services: dict[str, Mark] = {}
        self._read_at: dict[str, float] = {}
        self.hinted_at: dict[str, float] = {}
        self.nodes_at: float | None = None

    def service(self, service_id: str, now: float, *, whole: bool, urgent: bool = False) -> bool:
        """Mark one service; True if this makes something due earlier than before."""
        self.hinted_at[service_id] = now
        pace = self._read_at.get(service_id, now) + PACE if service_id in self._read_at else now
        at = now if urgent else max(now + DEBOUNCE, pace)
        mark = self._services.get(service_id)
        if mark is None:
            self._services[service_id] = Mark(at, whole, urgent)
            return True
        mark.whole = mark.whole or whole
        mark.urgent = mark.urgent or urgent
        if at < mark.at:
            mark.at = at
            return True
        return False

    def nodes(self, now: float) -> bool:
        if self.nodes_at is not None:
            return False
        self.nodes_at = now + DEBOUNCE
        return True

    def marked(self) -> Iterable[str]:
        return self._services.keys()

    def __contains__(self, service_id: str) -> bool:
        return service_id in self._services

    def due(self, now: float) -> dict[str, Mark]:
        return {key: mark for key, mark in self._services.items() if mark.at <= now}

    def times(self, *, urgent_only: bool = False) -> list[float]:
        """When marks will be due."""
        times = [mark.at for mark in self._services.values() if mark.urgent or not urgent_only]
        return times if self.nodes_at is None else [*times, self.nodes_at]

    def reading(self, service_id: str, now: float) -> None:
        """Its read is being sent: hints from now on are about something newer."""
        self._services.pop(service_id, None)
        self._read_at[service_id] = now

    def reading_all(self, now: float) -> None:
        self._services.clear()
        self.nodes_at = None
        self._read_at.clear()
        self.hinted_at = {key: at for key, at in self.hinted_at.items() if now - at < AFTERMATH}

    def hinted_lately(self, service_id: str, now: float) -> bool:
        """Whether what an event told of may not have reached the managers yet."""
        return now - self.hinted_at.get(service_id, float("-inf")) < AFTERMATH


def tells_of_tasks(event: Event) -> bool:
    """Whether a container's event may mean a new state of its task; health checks' do not."""
    return event.action.partition(":")[0].strip() in _TELLING
