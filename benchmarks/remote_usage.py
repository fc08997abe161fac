"""What it costs a manager's agent to take in the usage of a whole Swarm.

Makes reports as many nodes would send them, one a second and with jitter, takes them in, and
once a second asks for the CPU samples of all tasks, as a rule for every service would. Making
the reports is not counted: the streams do that. A clock of its own: no second is waited for.

    python -m benchmarks.remote_usage [--nodes 500] [--tasks 20] [--seconds 60] [--window 15]
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import time
from pathlib import Path

from monitor.model.now import Now
from monitor.model.peer import TaskReading, UsageReport
from monitor.model.usage import MetricKind, Network, Reading
from monitor.usage.remote import RemoteUsage

RISING_WINDOW = 5.0
NETWORK_EVERY = 5  # seconds
WAY = 0.3  # seconds that a report takes at most


class Fleet:
    """Nodes with tasks of a constant load each, and boot times of their own."""

    def __init__(self, nodes: int, tasks: int, chance: random.Random) -> None:
        self._chance = chance
        self._booted = [chance.uniform(0.0, 1e6) for _ in range(nodes)]
        self._cores = [[chance.uniform(0.01, 2.0) for _ in range(tasks)] for _ in range(nodes)]
        self.nodes = [f"node{node:021}" for node in range(nodes)]
        self.tasks = [
            [f"task{node:010}{task:011}" for task in range(tasks)] for node in range(nodes)
        ]

    def cores(self) -> dict[str, float]:
        return {
            task: cores
            for tasks, loads in zip(self.tasks, self._cores, strict=True)
            for task, cores in zip(tasks, loads, strict=True)
        }

    def reports(self, second: int) -> list[tuple[str, UsageReport, float]]:
        """By node, what it sends in that second and when it comes."""
        made = []
        for node, node_id in enumerate(self.nodes):
            sent_at = self._booted[node] + second + self._chance.uniform(0.0, 0.05)
            readings = tuple(
                self._reading(task_id, cores, sent_at - 0.01, self._booted[node], second)
                for task_id, cores in zip(self.tasks[node], self._cores[node], strict=True)
            )
            received = 1000.0 + sent_at - self._booted[node] + self._chance.uniform(0.0, WAY)
            made.append((node_id, UsageReport(sent_at, 0.0, readings), received))
        made.sort(key=lambda report: report[2])
        return made

    def _reading(
        self, task_id: str, cores: float, read_at: float, booted: float, second: int
    ) -> TaskReading:
        network_at = booted + second - second % NETWORK_EVERY
        reading = Reading(
            cpu_seconds=cores * (read_at - booted),
            memory_usage=200 << 20,
            working_set=(100 << 20) + second,
            pids=12,
            network=Network(receive_bytes=int(network_at), transmit_bytes=int(network_at)),
        )
        return TaskReading(task_id, read_at, reading, network_at=network_at, network_pause=5.0)


class Clock:
    """`monitor.ports.clock.Clock` that nobody asks here."""

    def now(self) -> Now:
        return Now(time.monotonic(), time.time())

    def random(self) -> float:
        return 0.5


def resident() -> float:
    """MiB of memory that this process holds now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def wrong(samples: dict[str, float], cores: dict[str, float]) -> int:
    return sum(abs(samples.get(task, -1.0) - is_) > 0.01 * is_ for task, is_ in cores.items())


def measure(fleet: Fleet, seconds: int, window: float) -> None:
    node_of_task = {
        task: node for node, tasks in zip(fleet.nodes, fleet.tasks, strict=True) for task in tasks
    }
    usage = RemoteUsage(Clock(), node_of_task=node_of_task.get)
    wanted = list(node_of_task)
    cores = fleet.cores()
    fleet.reports(0)  # what making them leaves behind is not the histories'
    empty = resident()
    taking = asking = longest = 0.0
    failed = 0
    for second in range(1, seconds + 1):
        reports = fleet.reports(second)
        began = time.process_time()
        for node_id, report, received in reports:
            usage.take(node_id, report, received)
        taken = time.process_time()
        samples = usage.samples(
            wanted, MetricKind.CPU, window, RISING_WINDOW, 1000.0 + second + 0.5
        )
        asked = time.process_time()
        taking += taken - began
        asking += asked - taken
        longest = max(longest, asked - began)
        if second > 1:
            failed += wrong({task: sample.value for task, sample in samples.items()}, cores)
    del reports, samples
    count = len(wanted) * seconds
    print(f"{len(fleet.nodes)} nodes, {len(wanted)} tasks, {seconds} s, window {window:g} s")
    print(f"taking reports: {taking:6.2f} CPU s, {1e6 * taking / count:5.2f} us per reading")
    print(f"CPU samples:    {asking:6.2f} CPU s, {1e6 * asking / count:5.2f} us per sample")
    print(f"both:           {(taking + asking) / seconds:6.3f} cores, longest {longest:.3f} s")
    print(f"memory:         {resident() - empty:6.1f} MiB more, {resident():.1f} MiB resident")
    print(f"refused {sum(usage.refused.values())}, samples missing or off by over 1 %: {failed}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nodes", type=int, default=500)
    parser.add_argument("--tasks", type=int, default=20, help="of each node")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--window", type=float, default=15.0, help="seconds")
    options = parser.parse_args()
    chance = random.Random(1)
    measure(Fleet(options.nodes, options.tasks, chance), options.seconds, options.window)


if __name__ == "__main__":
    main()
