"""Samples of tasks on other nodes, from what the agents there report: a `UsageSource`."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from monitor.model.peer import UsageReport
from monitor.model.usage import Machine, MetricKind, Reading, Sample
from monitor.ports.clock import Clock
from monitor.usage.remote_node import Refusal, RemoteNode


@dataclass(frozen=True, slots=True)
class RemoteReading:
    """A task's newest reading. read_at: monotonic seconds of this agent's clock, at latest."""

    reading: Reading
    read_at: float


class RemoteUsage:
    """Keeps what other nodes report, as `Sampler` keeps this node's readings.

    Rates come from the senders' clocks alone, so that delays on the way do not change them; ages
    from this agent's alone: a reading is as old as the report says it was when sent, and grows
    older here. One older than `stale_after` seconds and its source's pause is no sample.

    node_of_task: the node of a task as the Swarm tells it, None or "" while unknown. What
    another node says of a task does not count.

    refused: readings (and whole reports without a time) that did not count so far, by reason.
    """

    def __init__(
        self,
        clock: Clock,
        stale_after: float = 5.0,
        *,
        node_of_task: Callable[[str], str | None],
    ) -> None:
        self._clock = clock
        self._node_of_task = node_of_task
        self._nodes: dict[str, RemoteNode] = {}
        self._machines: dict[str, tuple[Machine, float]] = {}
        self._refused: Counter[Refusal] = Counter()
        self.stale_after = stale_after

    @property
    def refused(self) -> Mapping[Refusal, int]:
        return {reason: self._refused[reason] for reason in Refusal}

    def take(self, node_id: str, report: UsageReport, received: float | None = None) -> int:
        """Take in a node's report; returns how many readings in it were refused. Never raises.

        received: this agent's monotonic seconds when it came; None: now. Tasks of which the
        node's last report told and this one does not have ended.
        """
        if received is None:
            received = self._clock.now().mono
        self._machines[node_id] = (report.machine, received)
        node = self._nodes.get(node_id)
        if node is None:
            node = RemoteNode(node_id, self._node_of_task, self._refused, self.stale_after)
            self._nodes[node_id] = node
        return node.take(report, received)

    def drop(self, node_id: str) -> None:
        """Let nothing count any more that this node said."""
        self._nodes.pop(node_id, None)
        self._machines.pop(node_id, None)

    def machines(self) -> Mapping[str, tuple[Machine, float]]:
        """By node how full it is, as it said last, and when that came in monotonic seconds."""
        return self._machines

    def nodes(self) -> frozenset[str]:
        """Nodes that reported and were not dropped."""
        return frozenset(self._nodes)

    def tasks_of(self, node_id: str) -> Mapping[str, RemoteReading]:
        """By task id, the newest readings that this node reported; also old ones."""
        node = self._nodes.get(node_id)
        if node is None:
            return {}
        return {
            task_id: RemoteReading(task.reading, task.at)
            for task_id, task in node.tasks.items()
            if task.reading is not None
        }

    def samples(
        self,
        task_ids: Iterable[str],
        kind: MetricKind,
        window: float,
        rising_window: float,
        now: float,
    ) -> Mapping[str, Sample]:
        """See `monitor.ports.usage.UsageSource` and `Sampler.samples`.

        Only the node on which a task is counts. History is kept for the longest window that was
        asked of that task, up to an hour.
        """
        samples: dict[str, Sample] = {}
        for task_id in task_ids:
            node = self._nodes.get(self._node_of_task(task_id) or "")
            task = node and node.tasks.get(task_id)
            if task:
                sample = task.sample(kind, window, rising_window, now, self.stale_after)
                if sample is not None:
                    samples[task_id] = sample
        return samples
