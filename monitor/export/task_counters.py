"""Counts failures and restarts of tasks from one look at a service's tasks to the next.

The Swarm keeps no such counts and no task events exist, so they are differences of lists. What
had happened before the agent first looked is history and counts nothing: a service older than
the agent starts at zero. A service created later is counted from its first task on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from monitor.export.failure import FailureReason, failed, failure_reason, unscheduled
from monitor.model.service import Service
from monitor.model.task import Task

_MAX_OOM_HINTS = 1000
_MAX_GONE_PLACES = 1000
_OOM_SECONDS = 10.0


@dataclass(slots=True)
class _Seen:
    """What was already counted of a task."""

    place: str
    unscheduled: bool
    failed: bool


@dataclass(slots=True)
class _Book:
    tasks: dict[str, _Seen] = field(default_factory=dict)
    failures: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys((str(reason) for reason in FailureReason), 0)
    )
    restarts: dict[str, int] = field(default_factory=dict)


class TaskCounters:
    """Counters of every service while the agent runs; they never decrease.

    A task that came and went between two looks is not counted; the Swarm keeps ended tasks of a
    slot for a while, so that takes a task history of zero.

    since: wall seconds of the agent's start.
    """

    def __init__(self, since: float) -> None:
        self._since = since
        self._books: dict[str, _Book] = {}
        self._ooms: dict[str, float] = {}

    def oom(self, task_id: str, at: float) -> None:
        """An out-of-memory event at `at` (the node's wall seconds) in a task's container.

        A failure of the task within 10 s of it counts as `oom`: a child process may die of it
        while the container lives on.
        """
        self._ooms.pop(task_id, None)
        self._ooms[task_id] = at
        if len(self._ooms) > _MAX_OOM_HINTS:
            del self._ooms[next(iter(self._ooms))]

    def observe(self, service: Service, tasks: Sequence[Task]) -> None:
        """Takes in the whole list of a service's tasks, ended ones included."""
        book = self._books.get(service.id)
        history = book is None and service.created_at < self._since
        if book is None:
            book = self._books[service.id] = _Book()
        occupied = {seen.place for seen in book.tasks.values()}
        known, book.tasks = book.tasks, {}
        for task in sorted(tasks, key=lambda task: task.created_at):
            seen = known.get(task.id)
            if seen is None:
                seen = _Seen(task.place, unscheduled=False, failed=False)
                again = task.place in occupied and not history
                book.restarts[task.place] = book.restarts.get(task.place, 0) + again
                occupied.add(task.place)
            book.tasks[task.id] = seen
            self._count_failure(book, task, seen, history=history)
        self._forget_places(book, occupied)

    def _count_failure(self, book: _Book, task: Task, seen: _Seen, *, history: bool) -> None:
        stuck, ended = unscheduled(task), failed(task)
        news = (stuck and not seen.unscheduled) or (ended and not seen.failed)
        seen.unscheduled |= stuck
        seen.failed |= ended
        if news and not history:
            oom_at = self._ooms.get(task.id)
            oom = oom_at is not None and abs(task.since - oom_at) <= _OOM_SECONDS
            book.failures[failure_reason(task, oom=oom)] += 1

    @staticmethod
    def _forget_places(book: _Book, occupied: set[str]) -> None:
        """Counts of slots that are gone are kept in case they return, within bounds."""
        gone = [place for place in book.restarts if place not in occupied]
        for place in gone[: max(0, len(gone) - _MAX_GONE_PLACES)]:
            del book.restarts[place]

    def drop(self, service_id: str) -> None:
        self._books.pop(service_id, None)

    def failures(self, service_id: str) -> Mapping[str, int]:
        """By FailureReason, all reasons; empty for a service never observed."""
        book = self._books.get(service_id)
        return dict(book.failures) if book is not None else {}

    def restarts(self, service_id: str, place: str) -> int:
        book = self._books.get(service_id)
        return book.restarts.get(place, 0) if book is not None else 0
