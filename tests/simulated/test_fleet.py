"""Agents of a whole Swarm: all see the same, one acts, and the loss of any is made good."""

import asyncio
from typing import Any

import pytest

from monitor.model.peer import PeerState
from tests.simulated.agent_process import Process
from tests.simulated.agents import AGENTS, MANAGERS, WORKERS, Agents
from tests.simulated.fleet_rules import COOLDOWN, COOLING, QUICK, WINDOW, busy, fleet_of, scaled_up

# What all see


@fleet_of(QUICK)
async def test_the_load_of_tasks_on_other_nodes_scales_a_service_up_and_down(made: Agents) -> None:
    """No task runs where the actor is; it knows by the streams alone."""
    await scaled_up(made)
    assert not made.actor().core.sampler.tasks().keys() & {t.id for t in made.swarm.tasks("web")}
    made.swarm.set_load("web", 0.5)
    await made.until(lambda: made.replicas() == 2, within=WINDOW + 40)


@fleet_of(QUICK)
async def test_standbys_know_the_same_and_write_nothing(made: Agents) -> None:
    await scaled_up(made)
    actor = made.actor()
    assert {sent.process for sent in made.sent} == {actor.name}
    for name in MANAGERS:
        if made.processes[name] is not actor:
            assert made.processes[name].reason() in ("not_actor", "within_tolerance", "stabilized")


@fleet_of(QUICK)
async def test_a_death_on_a_worker_is_known_by_its_event(made: Agents) -> None:
    """Long before the next list: the worker's agent tells every manager's."""
    await busy(made, 0.5)
    await asyncio.sleep(40)
    for name in MANAGERS:
        made.swarm.engine(made.ids[name]).bus.faults.silent = True
    task = made.swarm.running("web")[0]
    made.swarm.end_task(task.id)
    mirror = made.actor().core.mirror

    def known() -> bool:
        view = mirror.view(task.service_id)
        return view is not None and any(t.id == task.id and t.state.ended for t in view.tasks)

    assert await made.until(known, within=5) < 2


@fleet_of(QUICK)
async def test_the_agent_that_replaces_a_dead_one_is_heard_long_before_the_next_list(
    made: Agents,
) -> None:
    """Nobody tells of an agent's own end, and the next one has another address."""
    await asyncio.sleep(5)  # lists come each 30 s
    made.kill("w1")
    await made.until(lambda: not made.processes["w1"].alive, within=1)
    await made.until(lambda: made.processes["w1"].alive, within=20)

    def heard(name: str) -> bool:
        peer = made.processes[name].streams.peers().get(made.ids["w1"])
        return peer is not None and peer.state is PeerState.UP

    took = await made.until(lambda: all(heard(name) for name in MANAGERS), within=40)
    assert took < 5


@pytest.mark.parametrize("lost", ["frozen", "cut", "other secret"])
@fleet_of(QUICK)
async def test_what_a_silent_worker_used_is_missing_and_not_zero(made: Agents, lost: str) -> None:
    """Nothing is scaled down though the other worker's tasks idle; it is once all are heard."""
    await scaled_up(made)
    await asyncio.sleep(WINDOW)
    silent = made.processes["w1"]
    if lost == "frozen":
        silent.freeze()
    elif lost == "cut":
        for name in MANAGERS:
            made.cut(name, "w1")
    else:
        made.secrets["w1"] = b"another secret than the others have"
        made.kill("w1")
    await asyncio.sleep(12)
    made.swarm.set_load("web", 0.25)
    await asyncio.sleep(3 * WINDOW)
    assert made.replicas() == 8
    assert made.actor().reason() == "missing_samples"
    if lost == "frozen":
        silent.thaw()
    elif lost == "cut":
        made.heal_all()
    else:
        assert made.actor().streams.peers()[made.ids["w1"]].state == "refused"
        assert not made.processes["w1"].streams.managers
        made.secrets.clear()
        made.kill("w1")
    await made.until(lambda: made.replicas() == 1, within=2 * WINDOW + 40)


@fleet_of(QUICK)
async def test_streams_cut_while_all_engines_answer_scale_nothing_down(made: Agents) -> None:
    """One holds the lease all the while; what it does not hear is missing."""
    await scaled_up(made)
    actor = made.actor()
    made.cut_all()
    await asyncio.sleep(12)
    made.swarm.set_load("web", 0.25)
    await asyncio.sleep(2 * WINDOW)
    assert made.replicas() == 8
    assert made.actor() is actor
    assert actor.reason() == "missing_samples"
    made.heal_all()
    await made.until(lambda: made.replicas() == 1, within=2 * WINDOW + 40)


@fleet_of(QUICK)
async def test_two_fleets_with_different_secrets_tell_each_other_nothing(made: Agents) -> None:
    """The workers' agents have another secret than the managers': no sample comes through."""
    await busy(made, 0.5)
    for name in WORKERS:
        made.secrets[name] = b"another secret than the others have"
        made.kill(name)
    await asyncio.sleep(25)
    made.swarm.set_load("web", 3.0)
    before = len(made.sent)
    await asyncio.sleep(30)
    for name in MANAGERS:
        core = made.processes[name].core
        ids = [task.id for task in made.swarm.running("web")]
        assert not core.usage.samples(ids, QUICK.metrics[0].kind, 15, 5, made.now())
    for name in WORKERS:
        assert not made.processes[name].streams.managers
        assert sum(made.processes[name].streams.server.stats.auth_failures.values())
    assert len(made.sent) == before


# Who acts


@fleet_of(QUICK, wait=False)
async def test_the_first_agents_of_a_swarm_do_not_wait_for_anybody(made: Agents) -> None:
    """Nothing tells of an actor before them, so one acts as soon as it knows its Swarm."""
    assert await made.until(made.actors, within=20) < 3


@fleet_of(COOLING)
async def test_after_the_actor_is_killed_the_next_one_goes_on_with_its_cooldown(
    made: Agents,
) -> None:
    await busy(made)
    await made.until(lambda: made.replicas() == 4)
    at, killed = made.sent[0].at, made.actor()
    made.kill(killed.node)
    dead_at = made.now()
    await made.acting(but=killed, within=20)
    assert made.now() - dead_at < 12
    await made.until(lambda: made.replicas() == 8, within=COOLDOWN + 20)
    assert COOLDOWN - 0.1 <= made.sent[1].at - at <= COOLDOWN + 15


@fleet_of(QUICK)
async def test_the_next_action_after_a_kill_comes_within_seconds_of_the_lease(
    made: Agents,
) -> None:
    """The next actor saw all samples all along."""
    await busy(made, 0.5)
    await asyncio.sleep(20)
    killed = made.actor()
    made.kill(killed.node)
    made.swarm.set_load("web", 2.0)
    taken = await made.acting(but=killed, within=20)
    at = made.now()
    await made.until(lambda: made.sent and made.sent[-1].process == taken.name, within=5)
    assert made.sent[-1].at - at < 5


@pytest.mark.parametrize("how", ["stopped", "drained"])
@fleet_of(QUICK)
async def test_an_actor_that_stops_hands_over_within_two_seconds(made: Agents, how: str) -> None:
    actor = made.actor()
    began = made.now()
    if how == "stopped":
        actor.host.context.copy().run(actor.stop.set)
    else:
        made.swarm.drain(made.ids[actor.node])
    await made.acting(but=actor, within=5)
    assert made.now() - began < 2
    await made.until(actor.run.done, within=10)
    await made.acting(but=actor)
    await scaled_up(made)


@fleet_of(QUICK)
async def test_a_frozen_actor_is_replaced_and_writes_nothing_once_it_is_thawed(
    made: Agents,
) -> None:
    await busy(made, 0.5)
    frozen = made.actor()
    frozen.freeze()
    began = made.now()
    made.swarm.set_load("web", 2.0)
    other = await made.acting(but=frozen, within=15)
    assert made.now() - began < 15
    await asyncio.sleep(began + 60 - made.now())
    made.swarm.set_load("web", 2.2)
    frozen.thaw()
    await asyncio.sleep(20)
    assert made.actor() is other
    assert frozen.name not in {sent.process for sent in made.sent}


@pytest.mark.parametrize("seconds", [3.0, 60.0])
@fleet_of(QUICK)
async def test_an_actor_frozen_right_before_its_write_does_not_send_it_too_late(
    made: Agents, seconds: float
) -> None:
    """After 3 s it still may; after a minute another one holds the lease, and it must not."""
    thawed: list[float] = []

    async def before_write(process: Process, _: Any) -> None:
        if not thawed:
            thawed.append(made.now() + seconds)
            asyncio.get_running_loop().call_at(thawed[0], process.thaw, context=made.world)
            process.freeze()
            if seconds > 3:
                made.swarm.set_load("web", 0.5)  # nobody else writes: no version is the fence
            await asyncio.sleep(0)

    made.before_write = before_write
    await busy(made)
    frozen = made.actor()
    await made.until(lambda: thawed and made.now() > thawed[0] + 0.5, within=100)
    assert (frozen.name in {sent.process for sent in made.sent}) == (seconds == 3.0)
    made.swarm.set_load("web", 2.0)
    await made.until(lambda: made.replicas() == 8)


@fleet_of(QUICK)
async def test_an_actor_cut_off_from_the_other_managers_stops_acting(made: Agents) -> None:
    """It says why, and another one goes on."""
    await busy(made, 0.5)
    actor = made.actor()
    made.partitioned.add(actor.node)
    other = await made.acting(but=actor, within=20)
    assert not actor.acts
    assert actor.core.actorship.why_not()
    made.swarm.set_load("web", 2.0)
    await made.until(lambda: made.replicas() == 8)
    made.partitioned.clear()
    await asyncio.sleep(15)
    assert made.actor() is other


@fleet_of(QUICK)
async def test_without_a_quorum_nobody_acts_and_afterwards_all_is_as_it_should_be(
    made: Agents,
) -> None:
    await busy(made, 0.5)
    await asyncio.sleep(10)
    lines = len(made.logs)
    made.swarm.has_leader = False
    made.swarm.set_load("web", 2.0)
    await asyncio.sleep(60)
    assert not made.actors()
    assert len(made.logs) - lines < 60
    before = len(made.sent)
    made.swarm.has_leader = True
    await made.acting(within=20)
    await made.until(lambda: made.replicas() == 8)
    assert all(sent.at > made.now() - 80 for sent in made.sent[before:])


@fleet_of(QUICK)
async def test_agents_that_would_act_differently_do_not_act_and_say_so(made: Agents) -> None:
    """Also the one that holds the lease; it names who differs, and acts again once they agree."""
    await busy(made, 0.5)
    actor = made.actor()
    odd = next(name for name in MANAGERS if name != actor.node)
    made.digests[odd] = "d2"
    await made.until(lambda: not made.actors(), within=5)
    made.swarm.set_load("web", 2.0)
    await asyncio.sleep(20)
    assert not made.sent
    assert f"the agent on {odd}" in actor.core.actorship.why_not()
    assert actor.reason() == "not_actor"
    made.digests.clear()
    await made.until(lambda: made.replicas() == 8)


@fleet_of(QUICK)
async def test_a_worker_with_other_rules_stops_nobody(made: Agents) -> None:
    """It decides nothing: while rules are rolled out, workers may be last."""
    made.digests["w1"] = "d2"
    await asyncio.sleep(5)
    await scaled_up(made)


@fleet_of(QUICK)
async def test_where_all_managers_are_drained_every_agent_that_is_left_says_so(
    made: Agents,
) -> None:
    await busy(made, 0.5)
    for name in MANAGERS:
        made.swarm.drain(made.ids[name])
    await asyncio.sleep(45)
    assert not made.actors()
    for name in WORKERS:
        assert "no manager's agent" in (made.processes[name].streams.not_ready() or "")
    made.swarm.activate(made.ids["m2"])
    made.swarm.set_load("web", 2.0)
    await made.until(lambda: made.replicas() == 8, within=90)
    for name in WORKERS:
        assert made.processes[name].streams.not_ready() is None


@fleet_of(QUICK)
async def test_every_agent_knows_where_the_actor_is(made: Agents) -> None:
    """Managers by the lease, workers by what the managers say."""
    actor = made.actor()
    await asyncio.sleep(5)
    for process in made.processes.values():
        found = process.streams.acting_agent()
        assert (found is None) == (process is actor)
        assert found is None or found.node_name == actor.node


@fleet_of(QUICK)
async def test_a_rolling_update_of_the_agents_under_load_loses_no_action(made: Agents) -> None:
    await busy(made, 0.5)
    await asyncio.sleep(10)
    made.swarm.deploy(AGENTS, "monitor:2")
    began = made.now()
    made.swarm.set_load("web", 2.0)
    await made.until(lambda: made.replicas() == 8)
    await made.swarm.converged(AGENTS)
    assert made.now() - began > 20
    await asyncio.sleep(10)
    assert made.replicas() == 8
    assert len({process.name for process in made.all}) == 10
