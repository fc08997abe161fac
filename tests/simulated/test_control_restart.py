"""Restart rules over virtual hours: once, then ever more rarely, and after a scale."""

import asyncio
from itertools import pairwise
from typing import Any

from monitor.model.action import ForceUpdate, ScaleTo
from monitor.model.outcome import OutcomeKind
from monitor.model.reason import Reason
from monitor.model.rule import Backoff, Breaker, Budget
from tests.simulated.bench import Bench, bench, one_node
from tests.simulated.virtual import virtual
from tests.unit.build import restart_rule, scale_rule

MIB = 1024**2
LIMIT = 100 * MIB
LEAKY = {
    "replicas": 2,
    "cpu_limit": 0.5,
    "memory_limit": LIMIT,
    "update": {"Parallelism": 0, "Monitor": 10**9, "Order": "start-first"},
}


def leak(seconds_to_full: float):
    """Memory of a task that begins with 10 MiB and is full after so many seconds."""
    return lambda age: int(10 * MIB + 90 * MIB * age / seconds_to_full)


def restarts(b: Bench) -> list[float]:
    return [write.at for write in b.records.applied if "ForceUpdate" in write.changed[0]]


@virtual(limit=1200)
async def test_a_leak_is_restarted_once() -> None:
    """Over its bound for the stated time: one ForceUpdate, and none while memory is low again."""
    async with bench(restart_rule()) as b:
        service_id = await b.service(**LEAKY)
        b.swarm.set_memory("web", lambda age: 95 * MIB if age > 100 and b.now() < 1300 else MIB)
        start = b.now()
        await b.until(lambda: bool(restarts(b)), within=200)
        assert 160 <= restarts(b)[0] - start <= 185
        await asyncio.sleep(600)
        assert len(restarts(b)) == 1
        assert b.swarm.service("web").spec["TaskTemplate"]["ForceUpdate"] == 1
        assert len(b.core.controller.book.history(service_id, "leak").restarts) == 1


def test_a_leak_that_comes_back_stays_within_its_budget_for_a_day(monkeypatch) -> None:
    """24 hours of a task that leaks within minutes: never more than 3 restarts an hour, the
    pauses double up to an hour, and the hindrance has a name."""
    monkeypatch.setattr("monitor.agent.core.SAMPLES_EVERY", 10.0)  # a day of seconds takes long
    virtual(limit=25 * 3600)(_a_day_of_leaks)()


async def _a_day_of_leaks() -> None:
    rule = restart_rule(
        budget=Budget(3, 3600.0), backoff=Backoff(120.0, 3600.0), breaker=Breaker(100, 900.0)
    )
    async with bench(rule) as b:
        await b.service(**LEAKY)
        b.swarm.set_memory("web", leak(60.0))
        await asyncio.sleep(24 * 3600)
        times = restarts(b)
        assert 24 <= len(times) <= 30
        for index, at in enumerate(times):
            assert sum(1 for other in times[: index + 1] if other > at - 3600.0) <= 3
        assert times[1] - times[0] >= 120.0
        assert times[2] - times[1] >= 240.0
        assert all(after - before >= 3600.0 for before, after in pairwise(times[6:]))
        assert {Reason.BACKOFF, Reason.BUDGET} <= set(b.reasons())


def test_restarts_that_do_not_help_end_until_a_deploy_does_well(monkeypatch) -> None:
    """Five in vain and the breaker is open, with its own reason; another image closes it."""
    monkeypatch.setattr("monitor.agent.core.SAMPLES_EVERY", 10.0)
    virtual(limit=5 * 3600)(_leaks_and_a_deploy)()


async def _leaks_and_a_deploy() -> None:
    async with bench(restart_rule(backoff=Backoff(120.0, 3600.0))) as b:
        service_id = await b.service(**LEAKY)
        b.swarm.set_memory("web", leak(60.0))
        await asyncio.sleep(3 * 3600)
        assert len(restarts(b)) == 5
        assert b.reasons()[-1] == Reason.BREAKER_OPEN
        b.swarm.set_memory("web", MIB)
        b.swarm.change("web", _another_image)
        await asyncio.sleep(1200)
        book = b.core.controller.book
        assert book.history(service_id, "leak").course.breaker.open_since is None
        b.swarm.set_memory("web", leak(60.0))
        await asyncio.sleep(1200)
        assert len(restarts(b)) > 5


def _another_image(spec: dict[str, Any]) -> None:
    spec["TaskTemplate"]["ContainerSpec"]["Image"] = "work:2"


@virtual(limit=900)
async def test_a_lost_reply_is_a_restart_that_counts() -> None:
    """The restart was applied and its answer lost, and a person changed the service before it
    was seen: nobody can tell, so it counts, and the back-off keeps the next one away."""
    rule = restart_rule(backoff=Backoff(300.0, 3600.0))
    async with bench(rule) as b:
        service_id = await b.service(**LEAKY)
        b.swarm.set_memory("web", 95 * MIB)
        b.engine.faults.lose_replies = 1
        update = b.swarm.update_service

        def update_and_label(*args: object) -> None:
            b.swarm.update_service = update
            update(*args)
            b.swarm.change("web", lambda spec: spec["Labels"].update(by="hand"))

        b.swarm.update_service = update_and_label
        await b.until(lambda: b.records.kinds() == [OutcomeKind.UNKNOWN], within=120)
        at = b.now()
        await asyncio.sleep(250)
        assert len(restarts(b)) == 1
        assert len(b.core.controller.book.history(service_id, "leak").restarts) == 1
        await b.until(lambda: len(restarts(b)) == 2, within=100)
        assert b.now() - at >= 299


@virtual(limit=900)
async def test_a_scale_comes_first_and_the_restart_waits_for_its_tasks() -> None:
    """Both are due at once: replicas first, and no restart before as many run as are wanted."""
    swarm = one_node()
    async with bench(restart_rule(), scale_rule(min=2, max=8), swarm=swarm) as b:
        await b.service(**LEAKY)
        b.swarm.set_load("web", 0.5)
        b.swarm.set_memory("web", 95 * MIB)
        await asyncio.sleep(50)
        b.use(restart_rule(), scale_rule(min=5, max=8))
        await b.until(lambda: len(b.records.applied) == 2, within=60)
        actions = {d.id: d.action for d in b.records.decisions if d.action is not None}
        first, second = (actions[write.decision] for write in b.records.applied)
        assert isinstance(first, ScaleTo)
        assert isinstance(second, ForceUpdate)
        restarted = b.records.applied[1].at
        assert not [write for write in b.records.applied if write.at < restarted - 60]
        running = [task for task in b.swarm.tasks("web") if task.state.label == "running"]
        assert len(running) >= 5


@virtual(limit=600)
async def test_a_restart_and_a_scale_due_at_once_are_one_write() -> None:
    """In one evaluation one write is admitted; the other's reason says what goes first."""
    rules = (restart_rule(), scale_rule(min=4, max=8))
    async with bench(*rules[:1]) as b:
        await b.service(**LEAKY)
        b.swarm.set_memory("web", 95 * MIB)
        await asyncio.sleep(60)  # the bound was crossed a few seconds ago: due a few from now
        b.engine.faults.fail_next("update_service", _refusal(), times=5)
        b.use(*rules)
        await asyncio.sleep(60)
        held = [d for d in b.decisions(rule="leak") if d.reason is Reason.IN_FLIGHT]
        assert held, b.reasons(rule="leak")
        assert "another write of this service goes first" in held[0].sentence
        moments = [decision.time.mono for decision, _ in b.records.outcomes]
        assert len(moments) == len(set(moments))


def _refusal():
    from monitor.ports.errors import BadRequest

    return BadRequest("not now")


@virtual(limit=600)
async def test_the_gap_after_our_own_restart_is_left_alone() -> None:
    """The Swarm says `updating` only in a later transaction: until then nothing is written,
    though the version is one of our own."""
    swarm = one_node(reaction=4.0)
    async with bench(restart_rule(), scale_rule(min=2, max=8), swarm=swarm) as b:
        await b.service(**LEAKY)
        b.swarm.set_load("web", 0.5)
        b.swarm.set_memory("web", 95 * MIB)
        await b.until(lambda: bool(restarts(b)), within=120)
        restarted = b.now()
        b.use(restart_rule(), scale_rule(min=5, max=8))
        await asyncio.sleep(3.0)
        assert b.swarm.service("web").update_state is None
        assert len(b.records.own) == 1
        assert Reason.ROLLOUT_IN_PROGRESS in b.reasons(restarted + 0.1, rule="r1")
        await b.until(lambda: b.replicas() == 5, within=60)
        states = [write.state for write in b.records.applied]
        assert states[-1] == "completed"


@virtual(limit=300)
async def test_the_time_of_a_condition_begins_with_the_load() -> None:
    """Here usage is read every 5 s, and two readings over the bound begin the minute."""
    async with bench(restart_rule()) as b:
        await b.service(**LEAKY)
        await asyncio.sleep(30)
        b.swarm.set_memory("web", 95 * MIB)
        took = await b.until(lambda: bool(restarts(b)), within=120)
        assert 60.0 <= took <= 71.0
