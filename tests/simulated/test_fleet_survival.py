"""Whatever agents of a fleet die, whenever: nothing is lost, and nothing done twice."""

import asyncio
from typing import Any

import pytest

from monitor.fleet.lease_labels import CONFIG as LEASE
from monitor.model.pause import PauseScope
from monitor.store.state_config import NAME as STATE
from tests.simulated.agent_process import Process
from tests.simulated.agents import MANAGERS, Agents, agents
from tests.simulated.fleet_rules import (
    COOLDOWN,
    COOLING,
    FAST_ROLLOUT,
    LEAK,
    MIB,
    ON_WORKERS,
    QUICK,
    WINDOW,
    busy,
    fleet_of,
    scaled_up,
)
from tests.simulated.hosts import run_on_hosts


async def all_killed(made: Agents) -> None:
    for node in list(made.processes):
        made.kill(node)
    before = list(made.all)
    await made.until(lambda: any(one not in before for one in made.actors()), within=40)


@pytest.mark.parametrize("skew", [0.0, -3600.0])
@fleet_of(COOLING)
async def test_all_agents_restarted_keep_a_cooldown(made: Agents, skew: float) -> None:
    """With clocks that were set back by an hour it may be longer, never shorter."""
    await busy(made)
    await made.until(lambda: made.replicas() == 4)
    at = made.sent[0].at
    made.skews |= dict.fromkeys(made.ids, skew)
    await all_killed(made)
    await made.until(lambda: made.replicas() == 8, within=2 * COOLDOWN + 60)
    assert made.sent[1].at - at >= COOLDOWN - 0.1


@fleet_of(LEAK, limit=2000.0)
async def test_a_budget_is_spent_once_however_often_agents_are_killed(made: Agents) -> None:
    """Two restarts in ten minutes, though all agents die again and again."""
    await made.service(
        "web", replicas=2, constraints=ON_WORKERS, memory_limit=100 * MIB, update=FAST_ROLLOUT
    )
    made.swarm.set_memory("web", 95 * MIB)
    began = made.now()
    for number in range(5):
        wanted = min(number + 1, 2)
        await made.until(lambda wanted=wanted: made.restarts() == wanted, within=100)
        if number % 2:
            await all_killed(made)
        else:
            made.kill(made.actor().node)
            await made.until(lambda: len(made.processes) == 5 and made.actors(), within=40)
        await asyncio.sleep(70)
    assert made.now() - began < 600
    assert made.restarts() == 2
    assert made.actor().reason() == "budget"


@fleet_of(QUICK)
async def test_a_pause_holds_whoever_acts(made: Agents) -> None:
    await busy(made, 0.5)
    controller = made.actor().core.controller
    now = made.swarm.clock.now()
    pauses = controller.pauses.having(PauseScope.SERVICE, "web", 120.0, now, note="", by="test")
    assert await controller.keep_pauses(pauses) == ""
    paused_at = made.now()
    made.swarm.set_load("web", 2.0)
    made.kill(made.actor().node)
    await asyncio.sleep(20)
    await all_killed(made)
    await asyncio.sleep(15)
    assert made.actor().reason() == "paused"
    assert not made.sent
    await made.until(lambda: made.sent, within=paused_at + 140 - made.now())
    assert made.sent[0].at - paused_at >= 119


@fleet_of(QUICK)
async def test_nothing_is_scaled_down_before_the_longest_window_was_seen(made: Agents) -> None:
    """All agents are new; the load fell before they began."""
    await scaled_up(made)
    await asyncio.sleep(WINDOW)
    for node in list(made.processes):
        made.kill(node)
    made.swarm.set_load("web", 0.25)
    await made.until(lambda: made.replicas() == 1, within=120)
    down = next(sent for sent in made.sent if made.decided(sent).action_name == "scale_down")
    began = min(one.began_at for one in made.processes.values())
    assert down.at - began >= WINDOW


@pytest.mark.parametrize("name", [STATE, LEASE])
@fleet_of(COOLING)
async def test_a_config_that_a_person_removes_is_made_anew(made: Agents, name: str) -> None:
    """The same one goes on, with its cooldown, and so does the next one."""
    await busy(made)
    await made.until(lambda: made.replicas() == 4)
    at, actor = made.sent[0].at, made.actor()
    made.swarm.remove_config(name)
    await asyncio.sleep(10)
    assert made.actor() is actor
    assert made.swarm.config(name).labels
    made.kill(actor.node)
    await made.acting(but=actor)
    await made.until(lambda: made.replicas() == 8, within=COOLDOWN + 20)
    assert made.sent[1].at - at >= COOLDOWN - 0.1


@fleet_of(QUICK)
async def test_a_new_agent_waits_for_a_holder_that_only_the_state_tells_of(made: Agents) -> None:
    """The holder hangs, a person removes the lease, and all other managers' agents are new: none
    of them has ever seen that there was a lease, and the holder may wake up in time."""
    holder = made.actor()
    for name in MANAGERS:
        if name != holder.node:
            made.kill(name)
    await asyncio.sleep(5)
    holder.freeze()
    made.swarm.remove_config(LEASE)
    await made.until(
        lambda: all(
            made.processes[name].began_at > made.now() - 5 or name == holder.node
            for name in MANAGERS
        )
    )
    await asyncio.sleep(2)
    assert len(made.swarm.config(LEASE).labels)
    other = await made.acting(but=holder, within=20)
    holder.thaw()
    await asyncio.sleep(5)
    assert made.actor() is other


async def successor_dies_at(point: int) -> bool:
    """Whether the next actor took so many steps between the lease and its first act."""
    async with agents(COOLING) as made:
        await busy(made)
        await made.until(lambda: made.replicas() == 4)
        at, first = made.sent[0].at, made.actor()
        steps: dict[str, int] = {}
        slain: list[Process] = []

        def watch(process: Process) -> None:
            def count(_: asyncio.Handle) -> None:
                if slain or process.core.lease.term() is None or process.acts:
                    return
                steps[process.name] = steps.get(process.name, 0) + 1
                if steps[process.name] > point:
                    slain.append(process)
                    process.kill()

            process.host.before = count

        for process in made.processes.values():
            if process is not first:
                watch(process)
        made.kill(first.node)
        await made.until(lambda: slain or any(one is not first for one in made.actors()), 20)
        if slain:
            made.kill(slain[0].node)
        await made.until(lambda: made.replicas() == 8, within=COOLDOWN + 40)
        assert COOLDOWN - 0.1 <= made.sent[1].at - at <= COOLDOWN + 15
        assert len(made.records.applied) == 2
        return bool(slain)


def test_a_successor_that_dies_while_it_takes_over_loses_nothing() -> None:
    """Between the lease and its first act, at every fifth step: the one after it has it all."""
    point = 0
    while run_on_hosts(successor_dies_at(point), limit=400):
        point += 5
    print(f"{point} steps")
    assert point >= 10


async def die_at(point: int, action: str) -> bool:
    """Whether the write had that many steps. The actor dies right before the step."""
    async with agents(COOLING if action == "scale" else LEAK) as made:
        parts = {"memory_limit": 100 * MIB, "update": FAST_ROLLOUT}
        await made.service("web", replicas=2, constraints=ON_WORKERS, **parts)
        slain = made.actor()
        steps = 0

        def count(handle: asyncio.Handle) -> None:
            nonlocal steps
            task = getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined]
            if isinstance(task, asyncio.Task) and task.get_name().startswith("write "):
                if steps == point:
                    slain.kill()
                steps += 1

        slain.host.before = count
        if action == "scale":
            made.swarm.set_load("web", 1.0)
        else:
            made.swarm.set_memory("web", lambda age: (95 if made.now() < dead_by else 1) * MIB)
        dead_by = made.now() + 150
        await made.until(lambda: not slain.alive or (made.sent and steps <= point), within=130)
        if slain.alive:
            return False
        made.kill(slain.node)
        dead_by, first = made.now(), len(made.sent)
        assert first <= 1
        await made.acting(but=slain)
        await asyncio.sleep(30)
        if action == "scale":
            assert made.replicas() == 4
            assert len(made.records.applied) == 1
        else:
            assert made.restarts() == len(made.records.applied) == first
        return True


@pytest.mark.parametrize("action", ["scale", "restart"])
def test_an_actor_that_dies_at_any_step_of_a_write_leaves_it_done_once(
    action: str, record_property: Any
) -> None:
    """Before the intent is stored, before it is sent, before its answer came, and after: the next
    actor finds where things are, does what is left to do, and nothing twice."""
    point = 0
    while run_on_hosts(die_at(point, action), limit=400):
        point += 1
    record_property("points", point)
    print(f"{point} points")
    assert point >= 4
