"""What this node's agent tells the managers' agents of its tasks."""

from monitor.model.now import Now
from monitor.model.peer import TaskReading, UsageReport
from monitor.usage.sampler import STATS_INTERVAL, Sampler


def report(sampler: Sampler, now: Now) -> UsageReport:
    """Every running task that has a reading, also an old one: its age can be told from it."""
    return UsageReport(
        sent_at=now.mono,
        wall=now.wall,
        machine=sampler.machine.read(),
        readings=tuple(
            TaskReading(
                task_id=task_id,
                read_at=usage.read_at.mono,
                reading=usage.reading,
                pause=0.0 if usage.from_files else STATS_INTERVAL,
                network_at=usage.network_at,
                network_pause=usage.network_pause,
            )
            for task_id, usage in sampler.tasks().items()
            if usage.reading is not None and usage.read_at is not None  # None once it ended
        ),
    )
