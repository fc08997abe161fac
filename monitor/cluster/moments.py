"""When things were first seen to happen to a service's tasks, on this agent's own clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.model.task import Task, TaskState

FAILURES_KEPT = 600.0
"""Seconds for which a failure is remembered."""

_FAILED = (TaskState.FAILED, TaskState.REJECTED)


@dataclass(slots=True)
class Moments:
    """As `ServiceView` has them. The maps are replaced, never changed: views hold them."""

    running_since: Mapping[str, float] = field(default_factory=dict)
    starting_since: Mapping[str, float] = field(default_factory=dict)
    pending_since: Mapping[str, float] = field(default_factory=dict)
    failed_at: tuple[float, ...] = ()
    _failed: dict[str, float] = field(default_factory=dict)
    _ours: dict[str, float] = field(default_factory=dict)

    def stopped_by_us(self, task_id: str, now: float) -> None:
        """That task's end is no failure, whether it was seen already or not."""
        self._ours[task_id] = now
        self._failed.pop(task_id, None)
        self._count(now)

    def _count(self, now: float) -> None:
        for known in (self._failed, self._ours):
            for task_id in [one for one, at in known.items() if at <= now - FAILURES_KEPT]:
                del known[task_id]
        self.failed_at = tuple(self._failed.values())

    def update(
        self,
        old: Mapping[str, Task],
        new: Mapping[str, Task],
        template: str,
        now: float,
        *,
        watched: bool,
    ) -> None:
        """Takes in the tasks before and now.

        template: the service's, so that what an update replaces is not taken for a failure.
        watched: False where nothing was known before: what runs then has run for nobody knows
            how long, and what failed may have failed long ago.
        """
        self.running_since = {
            task.id: self.running_since.get(task.id, now)
            for task in new.values()
            if task.state is TaskState.RUNNING
            and watched
            and (task.id in self.running_since or not _in(old.get(task.id), TaskState.RUNNING))
        }
        self.starting_since = {
            task.id: self.starting_since.get(task.id, now)
            for task in new.values()
            if task.state is TaskState.STARTING
            or (task.state is TaskState.RUNNING and task.id in self.starting_since)
        }
        self.pending_since = {
            task.id: self.pending_since.get(task.id, now) for task in new.values() if waits(task)
        }
        for task in new.values():
            if (
                watched
                and task.state in _FAILED
                and task.template == template
                and task.id not in self._ours
                and not _in(old.get(task.id), *_FAILED)
                and _was_wanted(old.get(task.id))
            ):
                self._failed[task.id] = now
        self._count(now)


def waits(task: Task) -> bool:
    """Whether the task is wanted and has no node yet."""
    return task.live and task.state <= TaskState.PENDING and not task.node_id


def _in(task: Task | None, *states: TaskState) -> bool:
    return task is not None and task.state in states


def _was_wanted(task: Task | None) -> bool:
    """Not told to stop before it failed; an unknown one came and failed between two looks."""
    return task is None or task.desired_state <= TaskState.RUNNING
