"""What health checks of tasks came to say, as containers' events tell it."""

from collections import deque

from monitor.model.container import Health
from monitor.model.event import Event
from monitor.model.evidence import HealthChange

KEPT_SECONDS = 86400.0
MOST = 200
"""Changes of one service that are kept."""

_SAYS = "health_status: "
_SERVICE = "com.docker.swarm.service.id"
_NAME = "com.docker.swarm.task.name"
_KNOWN = {health.value: health for health in Health}


class HealthLog:
    """`now` is monotonic seconds."""

    def __init__(self) -> None:
        self._changes: dict[str, deque[HealthChange]] = {}

    def heard(self, event: Event, now: float) -> None:
        """An event of any engine."""
        if event.type != "container" or not event.action.startswith(_SAYS):
            return
        health = _KNOWN.get(event.action.removeprefix(_SAYS))
        service_id = event.attributes.get(_SERVICE, "")
        name = event.attributes.get(_NAME, "").rsplit(".", 2)
        if health is None or not service_id or not event.task_id or len(name) != 3:
            return
        changes = self._changes.setdefault(service_id, deque(maxlen=MOST))
        changes.append(HealthChange(event.task_id, name[1], now, health))

    def of(self, service_id: str, now: float) -> tuple[HealthChange, ...]:
        """Of the last day, oldest first."""
        changes = self._changes.get(service_id, ())
        return tuple(one for one in changes if one.at > now - KEPT_SECONDS)

    def forget(self, service_id: str) -> None:
        self._changes.pop(service_id, None)
