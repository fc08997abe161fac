"""Restart rules whole: what is decided is carried out, over several agents where it needs them."""

import asyncio
from dataclasses import replace

import pytest

from monitor.model.action import RestartTask, Rollback
from monitor.model.cause import Cause
from monitor.model.condition import Exits, UnhealthyFor
from monitor.model.container import Health
from monitor.model.outcome import OutcomeKind
from monitor.model.reason import Reason
from monitor.model.rule import Backoff, Budget, RestartAction
from monitor.model.selector import Selector
from monitor.simulate.executor import Behaviour
from monitor.web.state import Refused
from tests.simulated.agents import Agents
from tests.simulated.bench import bench
from tests.simulated.fleet_rules import LEAK, ON_WORKERS, fleet_of
from tests.simulated.test_rollback import desk
from tests.simulated.virtual import virtual
from tests.unit.build import restart_rule

MIB = 1024**2
EAGER = {"budget": Budget(10, 600.0), "backoff": Backoff(0.0, 0.0)}
ONE_TASK = replace(LEAK, action=RestartAction.RESTART_TASK, budget=Budget(10, 600.0))
QUICK = {"Parallelism": 0, "Monitor": 10**9}


@fleet_of(ONE_TASK)
async def test_only_the_tasks_over_the_bound_are_replaced_one_at_a_time(made: Agents) -> None:
    """A leaking service of 4 on two workers: two of its tasks leak, the others keep their ids; the
    actor has them stopped by the workers' agents, and never two at once."""
    await made.service("web", replicas=4, memory_limit=100 * MIB, constraints=ON_WORKERS)
    await asyncio.sleep(20)
    tasks = made.swarm.running("web")
    leaking = {tasks[0].id, tasks[3].id}
    reading = made.swarm.load.reading

    def leaks(service_id: str, task_id: str, *rest: object) -> object:
        found = reading(service_id, task_id, *rest)
        used = 95 * MIB if task_id in leaking else 10 * MIB
        return replace(found, working_set=used)

    made.swarm.load.reading = leaks  # type: ignore[assignment,method-assign]
    fewest = 4
    for _ in range(900):
        await asyncio.sleep(0.1)
        fewest = min(fewest, len(made.swarm.running("web")))
    now = {task.id for task in made.swarm.running("web")}
    assert now & {task.id for task in tasks} == {task.id for task in tasks} - leaking
    assert len(now) == 4
    assert fewest == 3
    done = [d for d, o in made.records.outcomes if o.kind is OutcomeKind.APPLIED]
    assert [type(one.action) for one in done] == [RestartTask, RestartTask]
    await asyncio.sleep(15)
    ends = [end for end in made.actor().core.ends.of("web") if end.cause is not None]
    assert [end.cause for end in ends] == [Cause.RESTART_RULE] * 2


@fleet_of(replace(ONE_TASK, budget=Budget(2, 3600.0)), limit=1200)
async def test_stopped_tasks_count_for_the_budget_and_outlive_the_actor(made: Agents) -> None:
    """All tasks leak for good: two are stopped within the hour, also where the actor dies after
    the first and another agent goes on."""
    await made.service("web", replicas=4, memory_limit=100 * MIB, constraints=ON_WORKERS)
    made.swarm.set_memory("web", lambda *_: 95 * MIB)

    def stopped() -> int:
        return sum(o.kind is OutcomeKind.APPLIED for _, o in made.records.outcomes)

    await made.until(stopped, 120)
    dead = made.actor()
    made.kill(dead.node)
    await made.acting(but=dead)
    await asyncio.sleep(600)
    assert stopped() == 2


@fleet_of(replace(ONE_TASK, selector=Selector(names=("a", "b", "c"))), limit=1200)
async def test_no_more_tasks_are_restarted_at_once_than_the_swarm_has_to_bear(made: Agents) -> None:
    """Two tasks of each of three services leak, and the limit is 2: never are three missing, also
    where the actor dies with two under way; in the end all six are replaced."""
    for process in made.processes.values():
        process.core.controller.limits.restarts.most = 2
    made.swarm.behaviours["slow:1"] = Behaviour(start=15.0)
    old: set[str] = set()
    for name in ("a", "b", "c"):
        parts = {"memory_limit": 100 * MIB, "constraints": ON_WORKERS, "image": "slow:1"}
        await made.service(name, replicas=3, restart={"Delay": 10**9}, **parts)
        old |= {task.id for task in made.swarm.running(name)[:2]}
    await asyncio.sleep(20)
    reading = made.swarm.load.reading

    def leaks(service_id: str, task_id: str, *rest: object) -> object:
        used = 95 * MIB if task_id in old else 10 * MIB
        return replace(reading(service_id, task_id, *rest), working_set=used)

    made.swarm.load.reading = leaks  # type: ignore[assignment,method-assign]

    def running() -> set[str]:
        return {task.id for name in ("a", "b", "c") for task in made.swarm.running(name)}

    await made.until(lambda: len(running()) == 7, 60)
    await asyncio.sleep(3)  # what happened is stored
    dead = made.actor()
    made.kill(dead.node)
    fewest = 7
    for _ in range(3000):
        await asyncio.sleep(0.1)
        fewest = min(fewest, len(running()))
    assert fewest == 7
    assert len(running()) == 9
    assert not running() & old
    assert Reason.RESTART_LIMIT in {one.reason for one in made.records.decisions}


@virtual(limit=1200)
async def test_a_bad_deploy_is_rolled_back_by_its_exits_with_the_replicas_kept() -> None:
    """After the service was scaled several times: the image before comes back, not the number."""
    rule = restart_rule(when=Exits(count=3, within=120.0), action=RestartAction.ROLLBACK, **EAGER)
    async with bench(rule) as b:
        await b.service(image="app:1", replicas=2, update=QUICK, restart={"Delay": 10**9})
        for count in (4, 3):
            b.swarm.scale("web", count)
            await b.swarm.converged("web")
        await asyncio.sleep(10)
        b.swarm.behaviours["bad:1"] = Behaviour(exit_after=8.0)
        b.swarm.deploy("web", "bad:1")

        def image() -> str:
            return b.swarm.service("web").spec["TaskTemplate"]["ContainerSpec"]["Image"]

        await b.until(lambda: image() == "app:1", within=300)
        assert b.replicas() == 3
        await b.swarm.converged("web")
        done = [d for d, o in b.records.outcomes if o.kind is OutcomeKind.APPLIED]
        assert [type(one.action) for one in done] == [Rollback]
        await asyncio.sleep(120)
        assert image() == "app:1"
        b.records.writes.clear()  # a rollback changes more than one field


@virtual(limit=600)
async def test_a_parked_service_is_at_zero_and_stays_there() -> None:
    """Its task that is unhealthy for long has it parked; what it had is remembered."""
    rule = restart_rule(when=UnhealthyFor(10.0), action=RestartAction.PARK, **EAGER)
    async with bench(rule) as b:
        service_id = await b.service(replicas=3, start_period=1.0, update=QUICK)
        await asyncio.sleep(10)
        b.swarm.set_health(b.swarm.running("web")[0].id, Health.UNHEALTHY)
        await b.until(lambda: b.replicas() == 0, within=60)
        await asyncio.sleep(60)
        assert b.replicas() == 0
        assert b.core.controller.book.history(service_id, "leak").course.parked == 3
        sentence = await desk(b).unpark("web", by="ann")
        assert "3 replicas" in sentence
        assert b.replicas() == 3
        await b.swarm.converged("web")
        await asyncio.sleep(20)
        assert b.replicas() == 3
        assert b.core.controller.book.parked(service_id) is None
        with pytest.raises(Refused, match="no rule has parked"):
            await desk(b).unpark("web", by="")
        b.records.writes.clear()


@virtual(limit=600)
async def test_what_is_parked_comes_back_after_a_rollout_and_not_into_it() -> None:
    """A person who unparks right after somebody's deploy is told to wait: a change of replicas now
    would make the rollout's way back lead to zero."""
    rule = restart_rule(when=UnhealthyFor(10.0), action=RestartAction.PARK, **EAGER)
    async with bench(rule) as b:
        await b.service(replicas=3, start_period=1.0, update=QUICK)
        await asyncio.sleep(10)
        b.swarm.set_health(b.swarm.running("web")[0].id, Health.UNHEALTHY)
        await b.until(lambda: b.replicas() == 0, within=60)
        await asyncio.sleep(60)
        b.swarm.deploy("web", "app:2")
        await asyncio.sleep(0.5)
        with pytest.raises(Refused, match="a rollout may be about to begin"):
            await desk(b).unpark("web", by="ann")
        assert b.replicas() == 0
        await asyncio.sleep(10)
        await desk(b).unpark("web", by="ann")
        assert b.replicas() == 3
        b.records.writes.clear()
