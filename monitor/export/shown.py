"""Which of a service's tasks have series of their own."""

from collections.abc import Mapping, Sequence

from monitor.export.family import TaskLabels
from monitor.model.task import Task


def shown_tasks(tasks: Sequence[Task], mode: TaskLabels) -> Mapping[str, Task]:
    """Tasks to export, by key.

    task: those that have not ended, and of each slot the newest ended one, which tells why it
    ended; the rest of the history, five tasks per slot by default, stays out.
    slot: one per slot: the newest that is wanted and has not ended, else the newest.
    """
    if mode is TaskLabels.SLOT:
        best: dict[str, Task] = {}
        for task in tasks:
            other = best.get(task.place)
            if other is None or _rank(task) > _rank(other):
                best[task.place] = task
        return best
    ended = newest_ended(tasks)
    return {
        task.id: task for task in tasks if not task.state.ended or ended[task.place].id == task.id
    }


def newest_ended(tasks: Sequence[Task]) -> dict[str, Task]:
    """The newest ended task of each slot that has one."""
    newest: dict[str, Task] = {}
    for task in tasks:
        if task.state.ended:
            other = newest.get(task.place)
            if other is None or (task.created_at, task.id) > (other.created_at, other.id):
                newest[task.place] = task
    return newest


def last_exit_codes(tasks: Sequence[Task]) -> dict[str, int]:
    """By slot, the exit code of its newest ended task; without one where no container ended."""
    return {
        place: task.exit_code
        for place, task in newest_ended(tasks).items()
        if task.exit_code is not None
    }


def _rank(task: Task) -> tuple[bool, float, str]:
    return (task.live, task.created_at, task.id)
