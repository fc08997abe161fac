"""An Engine event: a hint that something changed, never the truth about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

REMAINS = "remains"
"""The action of what no Engine tells but an agent: what it found of a container that had ended
before. The time is that of its end. Attributes beside the task's labels: `exitCode`, `startedAt` in
nanoseconds, `oomKilled` and `unhealthy`, each "true" or not there."""


@dataclass(frozen=True, slots=True)
class Event:
    """`time_ns` is the Engine's `timeNano`; `action` is `Action` (`health_status: healthy`)."""

    type: str
    action: str
    actor_id: str
    time_ns: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    scope: str = "local"

    @property
    def task_id(self) -> str:
        return self.attributes.get("com.docker.swarm.task.id", "")

    @property
    def service_id(self) -> str:
        """The service the event is about, also for a container of one of its tasks."""
        if self.type == "service":
            return self.actor_id
        return self.attributes.get("com.docker.swarm.service.id", "")
