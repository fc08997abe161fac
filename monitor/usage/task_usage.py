"""One task's newest reading, as it is exported and streamed."""

from dataclasses import dataclass

from monitor.model.container import Container
from monitor.model.now import Now
from monitor.model.usage import Reading


@dataclass(frozen=True, slots=True)
class TaskUsage:
    """`container` carries the newest known health.

    reading: None where there is none yet, and for a container that ended.
    read_at: when it was read; None with no reading. An old one is not the present: compare
        with `Sampler.stale_after`.
    oom_events: `oom` events of the Engine for this task so far. A task that ended after one
        stays listed for a while (`container.running` is False), so that the count can be seen.
    generation: `Sampler.generation` at the last change of anything but `read_at`.
    from_files: whether the reading came from cgroup files, not from the stats API.
    network_at: monotonic time at which the reading's network counters were read, None where it
        has none. network_pause: seconds from them to the next.
    """

    container: Container
    reading: Reading | None
    read_at: Now | None
    oom_events: int
    generation: int
    from_files: bool
    network_at: float | None = None
    network_pause: float = 0.0

    @property
    def task_id(self) -> str:
        return self.container.task_id
