"""Another node's agent as a test plays it: its clock, its tasks, what it sends."""

from dataclasses import replace

from monitor.model.now import Now
from monitor.model.peer import TaskReading, UsageReport
from monitor.model.usage import MetricKind, Network, Reading, Sample
from monitor.usage.remote import RemoteUsage

NODE, TASK = "node1", "task1"


class StoppedClock:
    """`monitor.ports.clock.Clock` that shows what the test sets."""

    def __init__(self) -> None:
        self.mono = 0.0

    def now(self) -> Now:
        return Now(self.mono, 1_750_000_000.0 + self.mono)

    def random(self) -> float:
        return 0.5


def usage_of(where: dict[str, str] | None = None, *, stale_after: float = 5.0) -> RemoteUsage:
    """`where`: node by task, as the Swarm knows it; a live mapping, so that it may change."""
    known = {TASK: NODE} if where is None else where
    return RemoteUsage(StoppedClock(), stale_after, node_of_task=known.get)


def reading_at(second: float, cores: float = 0.5, memory: int = 1 << 20) -> Reading:
    """Counters of a constant load since second 0."""
    return Reading(cpu_seconds=cores * second, memory_usage=2 * memory, working_set=memory)


def with_network(second: float, rate: int, read_at: float, task: str = TASK) -> TaskReading:
    """Counters of `rate` bytes per second received, and twice as many sent."""
    network = Network(receive_bytes=int(rate * second), transmit_bytes=int(2 * rate * second))
    return TaskReading(
        task,
        read_at,
        replace(reading_at(second), network=network),
        network_at=read_at,
        network_pause=5.0,
    )


def report_of(sent_at: float, *readings: TaskReading) -> UsageReport:
    return UsageReport(sent_at, 1_750_000_000.0 + sent_at, readings)


def play(
    usage: RemoteUsage,
    begin: float,
    seconds: int,
    *,
    cores: float = 0.5,
    offset: float = 1000.0,
    task: str = TASK,
    node: str = NODE,
) -> float:
    """A report a second of one task; the sender's clock is `offset` ahead. Returns the end."""
    for second in range(seconds):
        at = begin + second
        item = TaskReading(task, at + offset, reading_at(at, cores))
        usage.take(node, report_of(at + offset, item), at)
    return begin + seconds - 1


def sample(
    usage: RemoteUsage,
    now: float,
    kind: MetricKind = MetricKind.CPU,
    task: str = TASK,
    window: float = 15.0,
) -> Sample | None:
    return usage.samples([task, "another"], kind, window, 5.0, now).get(task)
