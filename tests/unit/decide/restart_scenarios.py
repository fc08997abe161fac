"""Situations of restart rules by name, each with all that a decision is made of."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from monitor.decide import Recorded, record
from monitor.model.history import History
from monitor.model.rule import (
    AllOf,
    AnyOf,
    Backoff,
    Basis,
    Budget,
    ConditionKind,
    Quantity,
    RestartRule,
    TaskCondition,
    When,
)
from monitor.model.selector import Selector
from monitor.model.service import ServiceMode, UpdateState
from monitor.model.task import TaskState
from monitor.model.usage import Sample, Usage
from tests.unit.decide.make import LIMIT, NOW, VERSION, service, task, view

GIB = float(1 << 30)
MEMORY = TaskCondition(ConditionKind.MEMORY_ABOVE, Quantity(0.9, Basis.LIMIT), 60.0)
BUSY = TaskCondition(ConditionKind.CPU_ABOVE, Quantity(0.9, Basis.LIMIT), 30.0)
FIXED = TaskCondition(ConditionKind.MEMORY_ABOVE, Quantity(GIB / 2), 60.0)
KEY, FIXED_KEY = "memory_above>=0.9@limit for 60|task", "memory_above>=5.36871e+08 for 60|task"
BUSY_KEY = "cpu_above>=0.9@limit for 30|task"


def rule(when: When = MEMORY, **changes: Any) -> RestartRule:
    return RestartRule(name="leak", selector=Selector(names=("web",)), when=when, **changes)


def usage(memory: Mapping[int, float], cpu: Mapping[int, float] | None = None) -> Usage:
    """Samples by slot, as shares of the limits."""
    return Usage(
        {
            "memory": {f"task{slot}": Sample(x * GIB, 0.5) for slot, x in memory.items()},
            "cpu": {f"task{slot}": Sample(x * LIMIT, 0.5) for slot, x in (cpu or {}).items()},
        }
    )


def held(*since: tuple[str, float], **changes: Any) -> History:
    """Conditions by key, and for how many seconds they hold (or data is missing)."""
    holding = tuple(sorted((key, NOW.mono - ago) for key, ago in since))
    return replace(History(started=True, own_version=VERSION, holding=holding), **changes)


HIGH = usage({1: 0.95, 2: 0.2})
LONG = held((KEY + "1", 60))


def of(the_rule: RestartRule, seen: Any, found: Usage, past: History, **more: Any) -> Recorded:
    return record(the_rule, seen, found, past, NOW, **more)


def judged() -> Iterator[tuple[str, Recorded]]:
    two = view(2)
    yield "calm", of(rule(), two, usage({1: 0.5, 2: 0.2}), held())
    yield "begins", of(rule(), two, HIGH, held())
    yield "not long enough", of(rule(), two, HIGH, held((KEY + "1", 20), (KEY + "2", 55)))
    yield (
        "the longest is named",
        of(rule(), two, usage({1: 0.95, 2: 0.97}), held((KEY + "1", 20), (KEY + "2", 45))),
    )
    yield "just on the bound", of(rule(), two, usage({1: 0.9, 2: 0.2}), held())
    yield "long enough", of(rule(), two, HIGH, LONG)
    both = usage({1: 0.95, 2: 0.97})
    yield "several tasks", of(rule(), two, both, held((KEY + "1", 60), (KEY + "2", 200)))
    three = view(3)
    every = usage({1: 0.95, 2: 0.97, 3: 0.99})
    yield (
        "three tasks",
        of(rule(), three, every, held((KEY + "1", 60), (KEY + "2", 60), (KEY + "3", 60))),
    )
    yield "an amount", of(rule(FIXED), two, HIGH, held((FIXED_KEY + "1", 60)))
    all_of = rule(AllOf((MEMORY, BUSY)))
    hot = usage({1: 0.95, 2: 0.2}, {1: 0.99, 2: 0.1})
    yield "all of two", of(all_of, two, hot, held((KEY + "1", 60), (BUSY_KEY + "1", 31)))
    yield "one of all", of(all_of, two, hot, held((KEY + "1", 60), (BUSY_KEY + "1", 20)))
    any_of = rule(AnyOf((MEMORY, BUSY)))
    yield "any of two", of(any_of, two, hot, held((KEY + "1", 10), (BUSY_KEY + "1", 31)))
    yield "a gap", of(rule(), two, usage({2: 0.2}), LONG)
    gap = held((KEY + "1", 60), (KEY + "1?", 10))
    yield "a gap goes on", of(rule(), two, usage({2: 0.2}), gap)
    far = [replace(task(1), slot=None, node_id="node-of-a-long-name"), task(2)]
    yield "a gap far away", of(rule(), view(2, tasks=far), usage({2: 0.2}), gap)
    yield (
        "a gap nearly over",
        of(rule(), two, usage({2: 0.2}), held((KEY + "1", 60), (KEY + "1?", 14.5))),
    )
    yield "a gap of 15 s", of(rule(), two, usage({2: 0.2}), held((KEY + "1", 60), (KEY + "1?", 15)))
    yield (
        "a gap too long",
        of(rule(), two, usage({2: 0.2}), held((KEY + "1", 60), (KEY + "1?", 15.1))),
    )
    yield "no samples", of(rule(), two, Usage(), held())
    yield "no limit", of(rule(), view(2, of=service(2, memory_limit=None)), HIGH, held())
    reserved = TaskCondition(ConditionKind.CPU_ABOVE, Quantity(0.9, Basis.RESERVATION), 30.0)
    yield "no reservation", of(rule(reserved), view(0, of=service(0)), HIGH, held())
    yield "no tasks", of(rule(), view(2, tasks=[]), HIGH, held())
    everywhere = [replace(task(n), slot=None, node_id=f"node-{n}-of-many") for n in (2, 1)]
    spread = view(of=service(None, mode=ServiceMode.GLOBAL), tasks=everywhere)
    yield "a global service", of(rule(), spread, both, held((KEY + "1", 60), (KEY + "2", 70)))


def blocked() -> Iterator[tuple[str, Recorded]]:
    for state in UpdateState:
        seen = view(2, of=service(2, update_state=state))
        yield f"due while {state.value}", of(rule(), seen, HIGH, LONG)
    gap = view(2, version_since=NOW.mono - 0.5)
    yield "due after a change of our own", of(rule(), gap, HIGH, LONG)
    yield "due after a change", of(rule(), gap, HIGH, replace(LONG, own_version=1))
    half = view(2, tasks=[task(1), task(2, state=TaskState.STARTING)])
    yield "due while a task starts", of(rule(), half, HIGH, LONG)
    tight = rule(budget=Budget(2, 3600.0), backoff=Backoff(1.0, 1.0))
    used = replace(LONG, restarts=(NOW.mono - 3000, NOW.mono - 100))
    yield "budget used", of(tight, view(2), HIGH, used)
    single = rule(budget=Budget(1, 600.0), backoff=Backoff(1.0, 1.0))
    yield "single budget used", of(single, view(2), HIGH, replace(LONG, restarts=(NOW.mono - 100,)))
    yield "no budget", of(rule(budget=Budget(0, 600.0)), view(2), HIGH, LONG)
    slow = rule(budget=Budget(5, 3600.0), backoff=Backoff(100.0, 3600.0))
    thrice = replace(LONG, restarts=(NOW.mono - 900, NOW.mono - 500, NOW.mono - 40))
    yield "backing off", of(slow, view(2), HIGH, thrice)
    yield "out of sync", of(rule(), view(2, fresh=False), HIGH, LONG)
    yield "own service", of(rule(), view(2), HIGH, LONG, own_service=True)
    job = view(2, of=service(2, mode=ServiceMode.REPLICATED_JOB))
    yield "a job", of(rule(), job, HIGH, LONG)


def restarts() -> dict[str, Recorded]:
    found = (*judged(), *blocked())
    return {f"restart: {name}": recorded for name, recorded in found}
