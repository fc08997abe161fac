"""Deciding 1,000 rules over 100, 1,000 and 10,000 tasks in one pass: process CPU seconds.

Every pass decides each rule on its service and remembers what was decided, with histories of a
full stabilization window, as an agent does it in one second. With fewer tasks than rules several
rules are about one service (as those on dry run are beside the one that acts). Load differs from
service to service: calm, within tolerance, busy.

    python benchmarks/decide.py [--rounds 5] [--profile]

Exits with 1 if 10,000 tasks take 1 s or more, or more than 12 times as long as 1,000.
"""

import argparse
import cProfile
import gc
import pstats
import sys
import time
from dataclasses import dataclass

from monitor.decide import decide, remember
from monitor.model.history import History, Recommendation
from monitor.model.node import Availability, Node, NodeState
from monitor.model.now import Now
from monitor.model.rule import Basis, Metric, Quantity, ScaleRule
from monitor.model.selector import Selector
from monitor.model.service import Service, ServiceMode
from monitor.model.task import Task, TaskState
from monitor.model.usage import MetricKind, Sample, Usage
from monitor.model.view import ServiceView

RULES = 1000
SIZES = (100, 1_000, 10_000)
NODES = 100
NOW = 50_000.0
LIMIT = 0.5


@dataclass(frozen=True)
class Work:
    rule: ScaleRule
    view: ServiceView
    usage: Usage
    history: History


def works(tasks: int) -> list[Work]:
    """1,000 rules on as many services as there are tasks for, all tasks shared out evenly."""
    services = min(RULES, tasks)
    nodes = {
        f"n{n}": Node(f"n{n}", f"node-{n}", "worker", NodeState.READY, Availability.ACTIVE, 1)
        for n in range(NODES)
    }
    views = [service_view(number, tasks // services, nodes) for number in range(services)]
    usages = [usage_of(view, number) for number, view in enumerate(views)]
    return [
        Work(
            rule_of(number, views[number % services]),
            views[number % services],
            usages[number % services],
            past(views[number % services]),
        )
        for number in range(RULES)
    ]


def rule_of(number: int, view: ServiceView) -> ScaleRule:
    return ScaleRule(
        name=f"rule-{number}",
        selector=Selector(names=(view.service.name,)),
        min=1,
        max=100,
        metrics=(
            Metric("cpu", MetricKind.CPU, Quantity(0.6, Basis.AUTO)),
            Metric("memory", MetricKind.MEMORY, Quantity(700.0 * 2**20)),
        ),
    )


def service_view(number: int, tasks: int, nodes: dict[str, Node]) -> ServiceView:
    service = Service(
        id=f"s{number}",
        name=f"shop_service-{number}",
        version=10,
        mode=ServiceMode.REPLICATED,
        replicas=tasks,
        template="t",
        cpu_limit=LIMIT,
        memory_limit=1 << 30,
    )
    return ServiceView(
        service=service,
        tasks=tuple(
            Task(
                id=f"t{number}-{slot}",
                service_id=service.id,
                slot=slot,
                node_id=f"n{(number + slot) % NODES}",
                state=TaskState.RUNNING,
                desired_state=TaskState.RUNNING,
                since=0.0,
                created_at=0.0,
                template="t",
            )
            for slot in range(1, tasks + 1)
        ),
        nodes=nodes,
        version_since=0.0,
        tasks_read_at=NOW - 1,
        running_since={f"t{number}-{slot}": NOW - 4000 for slot in range(1, tasks + 1)},
    )


def usage_of(view: ServiceView, number: int) -> Usage:
    share = (0.2, 0.6, 0.95)[number % 3]
    return Usage(
        {
            "cpu": {
                task.id: Sample(share * LIMIT, 0.3, share * LIMIT * 1.02, 15.0)
                for task in view.tasks
            },
            "memory": {
                task.id: Sample(400.0 * 2**20, 0.3, 400.0 * 2**20, 15.0) for task in view.tasks
            },
        }
    )


def past(view: ServiceView) -> History:
    replicas = view.service.replicas or 0
    recent = tuple(Recommendation(NOW - 290 + 29 * n, replicas + n % 3) for n in range(10))
    return History(started=True, recommendations=recent, own_version=10)


def one_pass(everything: list[Work], at: float) -> int:
    now = Now(at, 1_700_000_000.0)
    kept = 0
    for work in everything:
        decision = decide(work.rule, work.view, work.usage, work.history, now)
        kept += len(remember(work.history, decision).recommendations)
    return kept


def measure(tasks: int, rounds: int) -> float:
    everything = works(tasks)
    one_pass(everything, NOW)
    gc.collect()
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        one_pass(everything, NOW)
        best = min(best, time.process_time() - began)
    return best


def profile(tasks: int) -> None:
    everything = works(tasks)
    with cProfile.Profile() as found:
        one_pass(everything, NOW)
    pstats.Stats(found).sort_stats("tottime").print_stats(25)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="where 10,000 tasks spend it")
    options = parser.parse_args()
    if options.profile:
        profile(SIZES[-1])
        return 0
    took = {}
    for tasks in SIZES:
        took[tasks] = measure(tasks, options.rounds)
        print(f"{RULES} rules over {tasks:>6,} tasks: {took[tasks]:.3f} s of CPU "
              f"(best of {options.rounds})")  # fmt: skip
    ratio = took[10_000] / took[1_000]
    print(f"10,000 tasks take {ratio:.1f} times as long as 1,000 (at most 12)")
    return 0 if ratio <= 12 and took[10_000] < 1.0 else 1


if __name__ == "__main__":
    sys.exit(main())
