"""How long the places of a service were without a running task that the Swarm wanted there."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from monitor.model.service import Service
from monitor.model.task import Task, TaskState

BOUNDS = (0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0)


@dataclass(frozen=True, slots=True)
class Durations:
    """A histogram. seconds: of all together; buckets: by the first of BOUNDS, one more above."""

    count: int
    seconds: float
    buckets: tuple[int, ...]


class Recoveries:
    """From the end of a task that was to run to the next one that runs in its place.

    A place is a slot, or the node of a global service. What an update or a scale-down ends has not
    failed, so nothing recovers from it; a crash loop is one recovery, from its first end on. Times
    are those of the tasks' own states: their nodes' clocks.
    """

    def __init__(self) -> None:
        self._down: dict[str, dict[str, float]] = {}
        self._counts: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    @property
    def durations(self) -> Mapping[str, Durations]:
        """By service name."""
        return {
            name: Durations(sum(counts), self._seconds[name], tuple(counts))
            for name, counts in self._counts.items()
        }

    def tasks(
        self,
        service: Service,
        before: Sequence[Task],
        after: Sequence[Task],
        now: float,
        *,
        lost: Callable[[Task], bool],
    ) -> None:
        """now: wall seconds, taken for the end of a task whose node was lost with it."""
        if service.mode.is_job:
            return
        known = {task.id: task for task in before}
        down = self._down.setdefault(service.id, {})
        for task in after:
            earlier = known.get(task.id)
            if _wanted(earlier) and task.state.ended:
                down.setdefault(task.place, task.since)
            elif _wanted(earlier) and _told(task) and lost(task):
                down.setdefault(task.place, now)
        for task in after:
            runs = task.state is TaskState.RUNNING and not _told(task)
            earlier = known.get(task.id)
            if runs and task.place in down and (earlier is None or earlier.state < task.state):
                self._observe(service.name, max(task.since - down.pop(task.place), 0.0))
        places = {task.place for task in after if task.desired_state is not TaskState.REMOVE}
        for place in [place for place in down if place not in places]:
            del down[place]
        if not down:
            del self._down[service.id]

    def forget(self, service_name: str) -> None:
        self._counts.pop(service_name, None)
        self._seconds.pop(service_name, None)

    def _observe(self, name: str, seconds: float) -> None:
        counts = self._counts.setdefault(name, [0] * (len(BOUNDS) + 1))
        counts[bisect_left(BOUNDS, seconds)] += 1
        self._seconds[name] = self._seconds.get(name, 0.0) + seconds


def _wanted(earlier: Task | None) -> bool:
    """It had not ended and was not to. One that nobody saw before came and failed meanwhile."""
    return earlier is None or (not earlier.state.ended and not _told(earlier))


def _told(task: Task) -> bool:
    return task.desired_state > TaskState.COMPLETE
