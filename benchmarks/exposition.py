"""Scraping 10,000 series of tasks: the cached exposition against prometheus_client.

Both sides hold the same series (names, labels, values) and render the text format in this one
run. Between scrapes 0, 10 or 100 % of the tasks change. Ours is timed with all it takes: taking
the changed objects in, rendering them, joining the document. On the other side only
`generate_latest` is timed; setting the changed gauges is not.

    python benchmarks/exposition.py [--tasks 2000] [--rounds 15]
"""

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from monitor.export.catalogue.tasks import task_kind
from monitor.export.rows import TaskRow
from monitor.export.store import ExpositionStore
from monitor.model.task import Task, TaskState

START = 1_700_000_000.0


def task_row(number: int, turn: int) -> TaskRow:
    """Task `number` after `turn` changes: it goes from running to failed and back."""
    service = number // 10
    return TaskRow(
        Task(
            id=f"t{number:024d}",
            service_id=f"s{service:024d}",
            slot=number % 10 + 1,
            node_id=f"n{number % 50:024d}",
            state=TaskState.FAILED if turn % 2 else TaskState.RUNNING,
            desired_state=TaskState.RUNNING,
            since=START + number + turn,
            created_at=START + number,
            container_id=f"{number:064x}",
            image=f"registry.example.org/shop/service-{service}:1.{service}",
        ),
        service_name=f"shop_service-{service}",
        node_name=f"node-{number % 50}",
    )


class TheirSide:
    """The same series as gauges of prometheus_client."""

    def __init__(self, rows: list[TaskRow]) -> None:
        self.registry = CollectorRegistry()
        self.generators = task_kind().generators
        self.gauges = [
            Gauge(g.family.name, g.family.text, g.family.labels, registry=self.registry)
            for g in self.generators
        ]
        for row in rows:
            self.put(None, row)

    def put(self, old: TaskRow | None, new: TaskRow) -> None:
        for generator, gauge in zip(self.generators, self.gauges, strict=True):
            for values, _ in generator.samples(old) if old is not None else ():
                gauge.remove(*values)
            for values, value in generator.samples(new):
                gauge.labels(*values).set(value)


def timed(work: Callable[[], bytes]) -> tuple[float, bytes]:
    gc.collect()
    started = time.perf_counter()
    body = work()
    return time.perf_counter() - started, body


def parsed(body: bytes) -> set[tuple[str, frozenset[tuple[str, str]], float]]:
    return {
        (sample.name, frozenset(sample.labels.items()), sample.value)
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def compare(tasks: int, share: float, rounds: int) -> tuple[float, float, int]:
    """Median seconds of ours and theirs, and the number of series, equal on both sides."""
    rows = [task_row(number, 0) for number in range(tasks)]
    store = ExpositionStore([task_kind()])
    for row in rows:
        store.put("task", row.task.id, row)
    store.render(openmetrics=False)
    theirs = TheirSide(rows)
    generate_latest(theirs.registry)
    our_times, their_times = [], []
    for turn in range(1, rounds + 1):
        numbers = range(0, tasks, round(1 / share)) if share else range(0)
        changed = [replace(task_row(number, turn)) for number in numbers]

        def ours(changed: list[TaskRow] = changed) -> bytes:
            for row in changed:
                store.put("task", row.task.id, row)
            return store.render(openmetrics=False)

        seconds, our_body = timed(ours)
        our_times.append(seconds)
        for number, row in zip(numbers, changed, strict=True):
            theirs.put(rows[number], row)
            rows[number] = row
        seconds, their_body = timed(lambda: generate_latest(theirs.registry))
        their_times.append(seconds)
        if turn in (1, rounds) and parsed(our_body) != parsed(their_body):
            sys.exit("the two sides do not show the same series")
    return statistics.median(our_times), statistics.median(their_times), store.series


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=2000, help="5 series each")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    failed = False
    print("changed   series   cached exposition   generate_latest   times faster")
    for share in (0.0, 0.1, 1.0):
        ours, theirs, series = compare(arguments.tasks, share, arguments.rounds)
        ratio = theirs / ours
        failed |= share == 0.1 and ratio < 20
        print(
            f"{share:6.0%} {series:9,d} {ours * 1e3:15.3f} ms {theirs * 1e3:14.2f} ms {ratio:14.1f}"
        )
    print("equal as parsed series on both sides, first and last round; medians of", end=" ")
    print(arguments.rounds, "rounds")
    if failed:
        sys.exit("at 10 % changed it must be at least 20 times faster")


if __name__ == "__main__":
    main()
