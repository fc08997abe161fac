"""The simulated Swarm does what a real one does where it matters to the agent."""

import asyncio
import copy

import pytest

from monitor.model.node import NodeState
from monitor.model.task import TaskState
from monitor.ports.errors import (
    BadRequest,
    Conflict,
    DeadlineExceeded,
    NotAManager,
    NotFound,
    Unreachable,
)
from monitor.simulate.executor import Behaviour
from monitor.simulate.spec import NANO
from monitor.simulate.swarm import GIB, Swarm
from tests.simulated.virtual import node_id, small_swarm, states, virtual


def manager(swarm: Swarm):
    return swarm.engine(node_id(swarm, "m1"))


@virtual()
async def test_a_service_starts_and_spreads() -> None:
    """Replicas go to the emptiest nodes and run after pull and start."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=6)
    await asyncio.sleep(0.5)
    assert not swarm.running("web")
    await swarm.converged("web")
    on = [task.node_id for task in swarm.running("web")]
    assert sorted(on.count(node.id) for node in swarm.store.nodes.values()) == [2, 2, 2]


@virtual()
async def test_reservations_and_max_replicas_hold_tasks_back() -> None:
    """What fits nowhere stays pending with the reason, and starts once there is room."""
    swarm = small_swarm(workers=1)
    swarm.create_service("fat", replicas=5, cpu_reservation=2.0)
    swarm.create_service("thin", replicas=3, max_replicas_per_node=1)
    await asyncio.sleep(5)
    assert len(swarm.running("fat")) == 4
    pending = [task for task in swarm.tasks("fat") if task.state is TaskState.PENDING]
    assert pending[0].error == "no suitable node (insufficient resources on 2 nodes)"
    assert len(swarm.running("thin")) == 2
    swarm.add_node("w2")
    await swarm.converged("fat")
    await swarm.converged("thin")


@virtual()
async def test_a_scale_up_replaces_no_running_task() -> None:
    """Scaling a spec without explicit defaults keeps every task that ran."""
    swarm = small_swarm()
    service = swarm.create_service("web", replicas=2)
    await swarm.converged("web")
    before = {task.id for task in swarm.running("web")}
    swarm.scale("web", 4)
    await swarm.converged("web")
    assert before < {task.id for task in swarm.running("web")}
    assert swarm.service(service).update_status is None


@virtual()
async def test_scale_down_takes_non_running_first_then_the_fullest_node() -> None:
    """As swarmkit: tasks that do not run go first, then those with most copies on a node."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=5)
    await swarm.converged("web")
    swarm.behaviours["app:1"] = Behaviour(pull=1000.0)
    swarm.scale("web", 6)
    await asyncio.sleep(1)
    ran = {task.id for task in swarm.running("web")}
    swarm.scale("web", 5)
    await asyncio.sleep(1)
    assert {task.id for task in swarm.tasks("web")} == ran
    swarm.scale("web", 3)
    await asyncio.sleep(1)
    assert len({task.node_id for task in swarm.tasks("web")}) == 3
    assert states(swarm, "web") == ["running/running"] * 3  # removed slots leave no history


@virtual()
async def test_restart_policies() -> None:
    """any replaces every end after its delay, on-failure only failures, none nothing."""
    swarm = small_swarm()
    policies = {
        "any": {"Condition": "any", "Delay": 1 * NANO},
        "failure": {"Condition": "on-failure"},
        "none": {"Condition": "none"},
        "bounded": {"Condition": "any", "Delay": 0, "MaxAttempts": 2},
    }
    for name, restart in policies.items():
        swarm.create_service(name, restart=restart)
    await asyncio.sleep(5)
    for name in policies:
        swarm.end_task(swarm.running(name)[0].id, 0)
    await asyncio.sleep(0.9)
    assert not swarm.running("any")
    await asyncio.sleep(10)
    assert [len(swarm.running(name)) for name in policies] == [1, 0, 0, 1]
    for code in (1, 1):
        swarm.end_task(swarm.running("bounded")[0].id, code)
        await asyncio.sleep(10)
    assert len(swarm.running("bounded")) == 0


@virtual()
async def test_history_is_five_tasks_per_slot() -> None:
    """A crash loop leaves five tasks of the slot, the live one included."""
    swarm = small_swarm()
    swarm.behaviours["app:1"] = Behaviour(exit_after=1.0)
    swarm.create_service("web", replicas=2)
    await asyncio.sleep(300)
    slots = [task.slot for task in swarm.tasks("web")]
    assert (slots.count(1), slots.count(2)) == (5, 5)


@virtual()
async def test_tasks_of_a_lost_node_stay_running_and_are_replaced() -> None:
    """A node that is down keeps its tasks `running`; replacements start elsewhere."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=3)
    swarm.create_service("agent", replicas=None)
    await swarm.converged("web")
    lost = node_id(swarm, "w1")
    swarm.node_down(lost)
    await asyncio.sleep(20)
    assert states(swarm, "web").count("running/shutdown") == 1
    assert len(swarm.running("web")) == 3
    assert len(swarm.running("agent")) == 2
    swarm.node_ready(lost)
    await asyncio.sleep(20)
    assert "running/shutdown" not in states(swarm, "web")
    assert len(swarm.running("web")) == 3
    assert len(swarm.running("agent")) == 3


@virtual()
async def test_an_election_makes_nodes_unknown_and_moves_nothing() -> None:
    """`unknown` for a moment replaces no task."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=3)
    await swarm.converged("web")
    before = {task.id for task in swarm.running("web")}
    swarm.election(node_id(swarm, "m1"))
    assert {node.state for node in swarm.store.nodes.values()} == {NodeState.UNKNOWN}
    await asyncio.sleep(5)
    for node in list(swarm.store.nodes):
        swarm.node_ready(node)
    await asyncio.sleep(20)
    assert {task.id for task in swarm.running("web")} == before


@virtual()
async def test_drain_moves_tasks_at_once() -> None:
    """Draining shuts tasks down and starts their replacements without restart delay."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=3)
    swarm.create_service("agent", replicas=None)
    await swarm.converged("web")
    drained = node_id(swarm, "w1")
    swarm.drain(drained)
    await asyncio.sleep(3)
    assert len(swarm.running("web")) == 3
    assert drained not in {task.node_id for task in swarm.running("web")}
    assert len(swarm.running("agent")) == 2
    swarm.activate(drained)
    await asyncio.sleep(3)
    assert len(swarm.running("agent")) == 3


@virtual()
async def test_writes_are_fenced_by_the_version() -> None:
    """A stale version conflicts; mode and name cannot change; an unknown id is NotFound."""
    swarm = small_swarm()
    service_id = swarm.create_service("web", replicas=2)
    engine = manager(swarm)
    seen = await engine.service(service_id)
    await engine.update_service(service_id, seen.version, seen.raw["Spec"])
    with pytest.raises(Conflict, match="update out of sequence"):
        await engine.update_service(service_id, seen.version, seen.raw["Spec"])
    seen = await engine.service(service_id)
    assert seen.raw["PreviousSpec"] == seen.raw["Spec"]
    with pytest.raises(BadRequest):
        await engine.update_service(
            service_id, seen.version, {**seen.raw["Spec"], "Mode": {"Global": {}}}
        )
    with pytest.raises(NotFound):
        await engine.update_service("nonesuch", 1, seen.raw["Spec"])
    with pytest.raises(NotFound):
        await engine.tasks("nonesuch")


@virtual()
async def test_a_reader_cannot_change_the_store() -> None:
    """Raw JSON that was handed out is a copy."""
    swarm = small_swarm()
    service_id = swarm.create_service("web", replicas=2)
    seen = await manager(swarm).service(service_id)
    seen.raw["Spec"]["Mode"]["Replicated"]["Replicas"] = 99
    assert swarm.service("web").spec["Mode"]["Replicated"]["Replicas"] == 2


@virtual()
async def test_parsed_values_agree_with_the_store() -> None:
    """The production parser reads the simulated answers, templates of task and spec included."""
    swarm = small_swarm()
    service_id = swarm.create_service(
        "web", replicas=2, cpu_limit=0.5, cpu_reservation=0.25, memory_limit=GIB
    )
    await swarm.converged("web")
    engine = manager(swarm)
    service = next(one for one in await engine.services() if one.id == service_id)
    assert (service.replicas, service.desired_tasks, service.running_tasks) == (2, 2, 2)
    assert (service.cpu_limit, service.cpu_reservation, service.memory_limit) == (0.5, 0.25, GIB)
    tasks = await engine.tasks(service_id)
    assert {task.template for task in tasks} == {service.template}
    assert {task.state for task in tasks} == {TaskState.RUNNING}
    assert {task.slot for task in tasks} == {1, 2}


@virtual()
async def test_workers_and_leaderless_managers_refuse() -> None:
    """Swarm calls end in NotAManager on workers and without a leader."""
    swarm = small_swarm()
    worker = swarm.engine(node_id(swarm, "w1"))
    with pytest.raises(NotAManager):
        await worker.services()
    assert (await worker.identity()).is_manager is False
    swarm.has_leader = False
    with pytest.raises(NotAManager):
        await manager(swarm).nodes()
    assert (await manager(swarm).identity()).is_manager is True


@virtual()
async def test_engine_faults() -> None:
    """Unreachable, frozen, failing once and a lost reply are what they are called."""
    swarm = small_swarm()
    service_id = swarm.create_service("web", replicas=2)
    engine = manager(swarm)
    engine.cut_off()
    with pytest.raises(Unreachable):
        await engine.services()
    engine.restore()
    engine.freeze()
    before = swarm.mono()
    with pytest.raises(DeadlineExceeded):
        await engine.services()
    assert swarm.mono() - before == pytest.approx(30.0)
    engine.thaw()
    engine.faults.fail_next("service", NotAManager("once"))
    with pytest.raises(NotAManager, match="once"):
        await engine.service(service_id)
    seen = await engine.service(service_id)
    spec = copy.deepcopy(seen.raw["Spec"])
    spec["Mode"]["Replicated"]["Replicas"] = 3
    engine.faults.lose_replies = 1
    with pytest.raises(Unreachable):
        await engine.update_service(service_id, seen.version, spec)
    assert (await engine.service(service_id)).replicas == 3


@virtual()
async def test_stats_integrate_cpu_exactly() -> None:
    """CPU seconds are the share of the load, bounded by the limit, over virtual time."""
    swarm = small_swarm(workers=0)
    swarm.create_service("web", replicas=2, cpu_limit=0.5)
    await swarm.converged("web")
    engine = manager(swarm)
    container = (await engine.containers())[0]
    swarm.set_load("web", 0.6)  # 0.3 each
    start = await engine.stats(container.id), swarm.mono()
    await asyncio.sleep(10)
    swarm.set_load("web", 4.0)  # 0.5 each: the limit
    changed = swarm.mono()
    await asyncio.sleep(20)
    end = await engine.stats(container.id), swarm.mono()
    way_back = engine.faults.latency
    expected = 0.3 * (changed - start[1] + way_back) + 0.5 * (end[1] - way_back - changed)
    assert end[0].cpu_seconds - start[0].cpu_seconds == pytest.approx(expected, abs=1e-9)


@virtual()
async def test_more_replicas_share_the_load() -> None:
    """The demand is the service's; each new task takes its part of it."""
    swarm = small_swarm(workers=0)
    swarm.create_service("web", replicas=1)
    await swarm.converged("web")
    swarm.set_load("web", lambda seconds: 2.0 if seconds < 30 else 1.0)
    engine = manager(swarm)
    container = (await engine.containers())[0]
    first = (await engine.stats(container.id)).cpu_seconds
    await asyncio.sleep(10)
    second = (await engine.stats(container.id)).cpu_seconds
    assert (second - first) / 10 == pytest.approx(2.0, rel=0.01)
    swarm.scale("web", 4)
    await asyncio.sleep(30)
    third = (await engine.stats(container.id)).cpu_seconds
    await asyncio.sleep(10)
    fourth = (await engine.stats(container.id)).cpu_seconds
    assert (fourth - third) / 10 == pytest.approx(0.25, rel=0.01)


@virtual()
async def test_events_carry_what_the_engine_tells() -> None:
    """Scale, deploy, node and container events have the Engine's attributes."""
    swarm = small_swarm(workers=1)
    engine = manager(swarm)
    seen = []

    async def read() -> None:
        async with engine.events(None) as stream:
            async for event in stream:
                seen.append(event)  # noqa: PERF401  (read while the test goes on)

    reader = asyncio.create_task(read())
    await asyncio.sleep(0.1)
    service_id = swarm.create_service("web", replicas=1)
    await swarm.converged("web")
    swarm.scale("web", 2)
    await swarm.converged("web")
    swarm.deploy("web", "app:2")
    await asyncio.sleep(30)
    swarm.drain(node_id(swarm, "w1"))
    await asyncio.sleep(30)
    swarm.remove_service("web")
    await asyncio.sleep(5)
    reader.cancel()
    services = [event for event in seen if event.type == "service"]
    assert services[0].action == "create"
    assert {"replicas.old": "1", "replicas.new": "2"}.items() <= services[1].attributes.items()
    assert {"image.old": "app:1", "image.new": "app:2"}.items() <= services[2].attributes.items()
    states_told = [event.attributes.get("updatestate.new") for event in services[3:]]
    assert states_told == ["updating", "completed", None]
    assert services[-1].action == "remove"
    assert all(event.scope == "swarm" for event in services)
    [drained] = [event for event in seen if event.type == "node"]
    assert drained.attributes["availability.new"] == "drain"
    own = [event for event in seen if event.type == "container"]
    assert own[0].service_id == service_id
    assert {event.attributes["com.docker.swarm.node.id"] for event in own} == {engine.node_id}
    assert {"create", "start", "kill", "die", "stop"} <= {event.action for event in own}
    stamps = [event.time_ns for event in seen]
    assert len(set(stamps)) == len(stamps)


@virtual()
async def test_the_replay_buffer_holds_256_events() -> None:
    """`since` is inclusive and reaches back 256 events at most."""
    swarm = small_swarm(workers=0)
    engine = manager(swarm)
    swarm.create_service("web", replicas=1)
    for _ in range(400):
        swarm.scale("web", 1)
    replayed = engine.bus.replay(0)
    assert len(replayed) == 256
    assert len(engine.bus.replay(replayed[100].time_ns)) == 156
    assert engine.bus.replay(None) == []


@virtual()
async def test_equal_seeds_give_equal_runs() -> None:
    """Two runs of one story end in equal stores, ids and stamps included."""

    async def story() -> list[tuple[str, int, str]]:
        swarm = Swarm(seed=7)
        for name in ("m1", "w1", "w2"):
            swarm.add_node(name, "manager" if name == "m1" else "worker")
        swarm.create_service("web", replicas=5)
        await asyncio.sleep(10)
        swarm.deploy("web", "app:2")
        swarm.node_down(node_id(swarm, "w2"))
        await asyncio.sleep(60 - swarm.mono() % 1)
        tasks = swarm.tasks("web")
        swarm.close()
        return [(task.id, task.version, task.state.label) for task in tasks]

    assert await story() == await story()


@virtual()
async def test_an_update_of_a_job_runs_it_again() -> None:
    """A job's tasks complete once per iteration, and every update is a new iteration."""
    swarm = small_swarm()
    swarm.behaviours["app:1"] = Behaviour(exit_after=1.0, exit_code=0)
    spec = {
        "Name": "job",
        "TaskTemplate": {"ContainerSpec": {"Image": "app:1"}},
        "Mode": {"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 4}},
    }
    swarm.create_raw(spec)
    await asyncio.sleep(60)
    assert states(swarm, "job") == ["complete/complete"] * 4
    first = {task.id for task in swarm.tasks("job")}
    swarm.change("job", lambda _: None)
    await asyncio.sleep(60)
    assert states(swarm, "job") == ["complete/complete"] * 4
    assert first.isdisjoint({task.id for task in swarm.tasks("job")})
