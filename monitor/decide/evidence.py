"""Ends of tasks as they are kept for people, turned into what decisions count."""

from collections.abc import Iterable

from monitor.model.cause import Cause, TaskEnd
from monitor.model.evidence import Ended
from monitor.model.now import Now
from monitor.model.task import TaskState


def ended_of(ends: Iterable[TaskEnd], now: Now) -> tuple[Ended, ...]:
    """Oldest first, in monotonic time, of tasks that are over alone.

    A task that waits for a node has a cause as well, and so has one on a node that went down,
    which the Swarm still calls running: the first has not ended, the second has.
    """
    offset = now.mono - now.wall
    found = [
        Ended(
            task_id=end.task_id,
            place=end.node_id if end.slot is None else str(end.slot),
            node_id=end.node_id,
            at=min(end.since + offset, now.mono),
            cause=end.cause,
            exit_code=end.exit_code,
            service_id=end.service_id,
            template=end.template,
        )
        for end in ends
        if end.cause is not None and _over(end)
    ]
    return tuple(sorted(found, key=lambda one: (one.at, one.task_id)))


def _over(end: TaskEnd) -> bool:
    return end.state > TaskState.RUNNING or end.cause is Cause.NODE_DOWN
