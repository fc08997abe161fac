"""The tasks of one service as they were seen, for a while longer than the Swarm lists them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from monitor.model.cause import TaskEnd
from monitor.model.task import Task, TaskState

KEPT_SECONDS = 24 * 3600.0
"""For which an end is kept after the Swarm forgot the task."""

KEPT_TASKS = 100
"""Ended tasks of a service that are kept: the latest."""


@dataclass(slots=True)
class TaskPast:
    """Wall seconds. told: what the Swarm first wanted else than to run, before it had ended."""

    task: Task
    told: TaskState | None = None
    told_at: float = 0.0
    running_since: float | None = None
    gone_at: float | None = None
    noted: bool = False
    shown: tuple[object, TaskEnd] | None = None
    """What was last told of it, and of what facts."""

    @property
    def over(self) -> bool:
        return self.task.state.ended or self.told is not None or self.gone_at is not None

    @property
    def until(self) -> float:
        """Until when it was wanted, as far as was seen."""
        if self.told is not None:
            return self.told_at
        if self.task.state.ended or self.gone_at is None:
            return self.task.since
        return self.gone_at


class TaskPasts:
    """Those that are listed and those that are not any more, of one service."""

    def __init__(self) -> None:
        self._pasts: dict[str, TaskPast] = {}
        self.changes = 0
        """Counts up whenever anything that is told of them may differ."""

    def get(self, task_id: str) -> TaskPast | None:
        return self._pasts.get(task_id)

    def all(self) -> Iterable[TaskPast]:
        return self._pasts.values()

    def seen(self, task: Task, now: float) -> TaskPast:
        """As a list shows it."""
        past = self._pasts.get(task.id)
        if past is None:
            past = self._pasts[task.id] = TaskPast(task)
        elif past.gone_at is None and (past.task is task or past.task == task):
            return past
        self.changes += 1
        past.task, past.gone_at = task, None
        if task.state is TaskState.RUNNING and past.running_since is None:
            past.running_since = task.since
        if past.told is None and task.desired_state > TaskState.COMPLETE and not task.state.ended:
            past.told, past.told_at = task.desired_state, now
        return past

    def dropped(self, task: Task, now: float) -> TaskPast:
        """No list shows it any more."""
        past = self._pasts.get(task.id) or self.seen(task, now)
        if past.gone_at is None:
            past.gone_at = now
            self.changes += 1
        return past

    def successor(self, of: TaskPast) -> TaskPast | None:
        """The next task in the same place."""
        later = (
            past
            for past in self._pasts.values()
            if past.task.place == of.task.place and past.task.created_at > of.task.created_at
        )
        return min(later, key=lambda past: (past.task.created_at, past.task.id), default=None)

    def with_successors(self) -> Iterator[tuple[TaskPast, TaskPast | None]]:
        """All, each with the next task in the same place, None where it is the last there."""
        places: dict[str, list[TaskPast]] = {}
        for past in self._pasts.values():
            places.setdefault(past.task.place, []).append(past)
        for pasts in places.values():
            pasts.sort(key=lambda past: (past.task.created_at, past.task.id))
            yield from zip(pasts, [*pasts[1:], None], strict=True)

    def trim(self, now: float) -> list[str]:
        """Drops what is kept for too long or is too much; returns the ids."""
        gone = [past for past in self._pasts.values() if past.gone_at is not None]
        gone.sort(key=lambda past: (past.gone_at or 0.0, past.task.id))
        old = [past for past in gone if now - (past.gone_at or 0.0) > KEPT_SECONDS]
        dropped = gone[: max(len(old), len(gone) - KEPT_TASKS)]
        for past in dropped:
            del self._pasts[past.task.id]
        self.changes += len(dropped)
        return [past.task.id for past in dropped]
