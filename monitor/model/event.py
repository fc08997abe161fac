"""An Engine event: a hint that something changed, never the truth about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

REMAINS = "remains"
"""The action of what no Engine tells but an agent: what it found of a container that had ended
before. The time is that of its end. Attributes beside the task's labels: `exitCode`, `startedAt` in
nanoseconds, `oomKilled` and `unhealthy`, each "true" or not there."""

OOM_COUNTED = "oom_counted"
"""The action of what an agent read from a container's cgroup: the kernel killed a process in it for
want of memory, in the seconds before the time of this."""


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
    def observed(self) -> bool:
        """Whether an agent found it out, and no Engine told it."""
        return self.action in (REMAINS, OOM_COUNTED)

    @property
    def task_id(self) -> str:
        return self.attributes.get("com.docker.swarm.task.id", "")

    @property
    def service_id(self) -> str:
        """The service the event is about, also for a container of one of its tasks."""
        if self.type == "service":
            return self.actor_id
        return self.attributes.get("com.docker.swarm.service.id", "")
