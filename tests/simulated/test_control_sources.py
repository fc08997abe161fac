"""Rules that follow numbers from outside and schedules, through the agent's whole core."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from monitor.agent.core import Core
from monitor.model.reason import Reason
from monitor.model.rule import SCALE_DOWN_DEFAULT, AnyRule, ScaleRule
from monitor.model.scalar import (
    Formula,
    JsonUrl,
    Number,
    PrometheusQuery,
    ScalarMetric,
    TasksPending,
)
from monitor.model.schedule import Schedule
from monitor.simulate.clock import VirtualClock
from tests.simulated.bench import NOWHERE, Bench, one_node
from tests.simulated.virtual import virtual
from tests.unit.build import scale_rule

CALM = replace(SCALE_DOWN_DEFAULT, stabilization_window=0.0)
START = datetime(2026, 3, 29, 0, 59, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()


@dataclass(slots=True)
class Told:
    """A number reader that says what a test wants it to."""

    value: float | None = 10.0
    problem: str = ""
    asked: list[PrometheusQuery | JsonUrl] = field(default_factory=list)

    def number(self, source: PrometheusQuery | JsonUrl, now: float) -> Number | None:
        self.asked.append(source)
        if self.value is None and not self.problem:
            return None
        return Number(self.value, 1.0, self.problem)


@asynccontextmanager
async def acting(rule: AnyRule, numbers: Told, *, reaction: float = 0.05) -> AsyncIterator[Bench]:
    """One node whose wall clock starts at START; service `shop_web` of stack `shop` runs twice.

    reaction: seconds until the Swarm's parts look at a change.
    """
    clock = VirtualClock(start_wall=START - asyncio.get_running_loop().time())
    swarm = one_node(clock=clock, reaction=reaction)
    bench = Bench(swarm)
    labels = {"com.docker.stack.namespace": "shop"}
    await bench.service("shop_web", replicas=2, labels=labels)
    bench.core = Core(
        bench.engine,
        swarm.clock,
        observer=bench.records,
        own_service_id="none",
        numbers=numbers,
        proc_root=NOWHERE,
        cgroup_root=NOWHERE,
    )
    bench.use(rule)
    stop = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(bench.core.run(stop), name="core")
            yield bench
            stop.set()
        bench.check()
    finally:
        swarm.close()


def rule(metric: ScalarMetric, *schedules: Schedule, **fields: int) -> ScaleRule:
    selector = replace(scale_rule().selector, names=("shop_web",))
    return scale_rule(
        selector=selector, metrics=(metric,), scale_down=CALM, schedules=schedules, **fields
    )


QUEUE = ScalarMetric("queue", PrometheusQuery('q{job="$service",stack="$stack",r="$rule"}'), 10.0)


@virtual()
async def test_a_service_follows_a_number_up_and_down() -> None:
    """As many replicas as the number needs; a failing one lets none go, whatever it was."""
    told = Told(20.0)
    async with acting(rule(QUEUE, min=1, max=8), told) as bench:
        await asyncio.sleep(5)
        told.value = 55.0
        await bench.until(lambda: bench.replicas("shop_web") == 6, within=30)
        await bench.swarm.converged("shop_web")
        told.value, told.problem = None, "http://prometheus:9090 cannot be reached"
        await asyncio.sleep(600)
        assert bench.replicas("shop_web") == 6
        newest = bench.records.decisions[-1]
        assert newest.action is None
        assert "http://prometheus:9090 cannot be reached" in newest.sentence
        told.value, told.problem = 10.0, ""
        await bench.until(lambda: bench.replicas("shop_web") == 1, within=60)
        query = 'q{job="shop_web",stack="shop",r="r1"}'
        assert set(told.asked) == {PrometheusQuery(query)}


@virtual()
async def test_a_number_that_never_came_changes_nothing() -> None:
    """Before the first answer nobody knows the load."""
    told = Told(None)
    async with acting(rule(QUEUE, min=1, max=8), told) as bench:
        await asyncio.sleep(120)
        assert bench.replicas("shop_web") == 2
        assert told.asked


@virtual()
async def test_only_what_is_outside_is_asked_for() -> None:
    """Pending tasks are counted and formulas computed from what is known."""
    told = Told()
    for source in (TasksPending(), Formula("1 + 1")):
        async with acting(rule(ScalarMetric("n", source, 1.0)), told) as bench:
            await asyncio.sleep(10)
            assert bench.records.decisions
    assert told.asked == []


@virtual()
async def test_a_schedule_sets_the_bounds_from_its_second_on() -> None:
    """Also beyond the rule's own; at its end the rule's hold again."""
    night = Schedule("0 1 * * *", 900.0, "Europe/Berlin", min=6, max=7)
    async with acting(rule(QUEUE, night, min=1, max=4), Told(20.0)) as bench:
        await bench.until(lambda: bool(bench.records.decisions), within=10)
        await bench.until(lambda: bench.replicas("shop_web") == 6, within=90)
        wall = bench.swarm.clock.now().wall
        assert 0 <= wall - (START + 60) < 2.5
        await bench.until(lambda: bench.replicas("shop_web") < 6, within=1000)
        wall = bench.swarm.clock.now().wall
        assert 0 <= wall - (START + 60 + 900) < 2.5
        assert bench.replicas("shop_web") == 4
        assert Reason.ABOVE_MAX in {decision.reason for decision in bench.decisions()}
        await bench.until(lambda: bench.replicas("shop_web") == 2, within=60)


@virtual(limit=40_000)
async def test_a_jump_of_the_wall_clock_moves_schedules_alone() -> None:
    """An hour on and back again: bounds follow local time, and nothing else is disturbed."""
    hour = Schedule("30 0 * * *", 3600.0, "UTC", min=5, max=5)
    async with acting(rule(QUEUE, hour, min=1, max=8), Told(20.0)) as bench:
        await asyncio.sleep(120)
        assert bench.replicas("shop_web") == 2
        clock = bench.swarm.clock
        assert isinstance(clock, VirtualClock)
        clock.jump_wall(3600.0)
        await bench.until(lambda: bench.replicas("shop_web") == 5, within=16)
        clock.jump_wall(-3600.0)
        await bench.until(lambda: bench.replicas("shop_web") == 2, within=60)
        await bench.until(lambda: bench.replicas("shop_web") == 5, within=3600)
        wall = bench.swarm.clock.now().wall
        assert 0 <= wall - (START + 31 * 60) < 2.5
