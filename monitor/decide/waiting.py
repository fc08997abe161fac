"""Tasks that wait for a node: on their way at first, out of the count when nothing takes them."""

from monitor.model.task import Task, TaskState
from monitor.model.view import ServiceView

LONG = 15.0  # seconds: a scheduler that has room places a task within a second or two


def waits(task: Task) -> bool:
    """Whether the Swarm wants this task but has no node for it (yet)."""
    return task.live and task.state <= TaskState.PENDING


def stuck(view: ServiceView, now: float) -> frozenset[str]:
    """Ids of tasks that have waited for longer than LONG; `now` in monotonic seconds."""
    if not view.pending_since:
        return frozenset()
    return frozenset(
        task.id
        for task in view.tasks
        if waits(task) and now - view.pending_since.get(task.id, now) > LONG
    )


def longest_wait(view: ServiceView, now: float) -> float:
    """Seconds for which the longest waiting task has waited."""
    waiting = (view.pending_since.get(task.id, now) for task in view.tasks if waits(task))
    return now - min(waiting, default=now)


def on_their_way(view: ServiceView, now: float) -> int:
    """How many of the wanted tasks do not run, but may be expected to."""
    return max(0, view.desired - len(view.running_tasks) - len(stuck(view, now)))
