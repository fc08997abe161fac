"""The Engine port on real engines: one manager and one worker."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest

from monitor.engine.client import DockerEngine
from monitor.engine.deadlines import Deadlines
from monitor.model.container import Health
from monitor.model.event import Event
from monitor.model.node import Availability, NodeState
from monitor.model.service import Service, ServiceMode
from monitor.model.task import TaskState
from monitor.ports.errors import Conflict, DeadlineExceeded, NotAManager, NotFound, Unreachable
from tests.real.asking import by_name, eventually
from tests.real.conftest import SwarmFactory
from tests.real.lab import WORK_IMAGE, Swarm

pytestmark = pytest.mark.slow

LOCAL = "--constraint=node.hostname==m1"


@pytest.fixture(scope="module")
def swarm(swarm_of: SwarmFactory) -> Swarm:
    return swarm_of(1, 1)


@pytest.fixture
async def engine(swarm: Swarm) -> AsyncIterator[DockerEngine]:
    async with DockerEngine(swarm.manager.url) as opened:
        yield opened
    await asyncio.to_thread(swarm.remove_services)


def with_replicas(service: Service, replicas: int) -> dict[str, Any]:
    spec: dict[str, Any] = copy.deepcopy(service.raw["Spec"])
    spec["Mode"]["Replicated"]["Replicas"] = replicas
    return spec


async def test_identity_tells_managers_from_workers(swarm: Swarm, engine: DockerEngine) -> None:
    """Each engine says who it is, and both sides of a Swarm are told apart."""
    await engine.ping()
    manager = await engine.identity()
    assert (manager.node_id, manager.node_name) == (swarm.manager.node_id, "m1")
    assert manager.swarm_state == "active"
    assert manager.is_manager
    assert manager.cluster_id
    assert manager.api_version == engine.api_version != ""
    assert manager.cgroup_driver == "cgroupfs"
    assert manager.memory_bytes > 0
    async with DockerEngine(swarm.workers[0].url) as other:
        worker = await other.identity()
        assert (worker.node_id, worker.is_manager) == (swarm.workers[0].node_id, False)
        assert worker.swarm_state == "active"


async def test_nodes_come_whole(swarm: Swarm, engine: DockerEngine) -> None:
    """Every node with its role, state, resources, and labels that were just set."""
    swarm.manager.docker("node", "update", "--label-add=tier=front", "w1")
    nodes = {node.name: node for node in await engine.nodes()}
    assert set(nodes) == {"m1", "w1"}
    assert nodes["m1"].leader
    assert nodes["m1"].reachability == "reachable"
    assert nodes["w1"].reachability is None
    assert nodes["w1"].role == "worker"
    assert nodes["w1"].labels == {"tier": "front"}
    assert nodes["w1"].state is NodeState.READY
    assert nodes["w1"].availability is Availability.ACTIVE
    assert nodes["w1"].cpu_cores >= 1
    assert nodes["w1"].memory_bytes > 1 << 20


async def test_a_service_comes_with_all_that_rules_need(swarm: Swarm, engine: DockerEngine) -> None:
    """What was asked for at creation is what the service says."""
    swarm.create_service(
        "full",
        "--replicas=2",
        "--limit-cpu=0.5",
        "--limit-memory=64M",
        "--reserve-cpu=0.1",
        "--reserve-memory=16M",
        "--health-cmd=true",
        "--health-interval=1s",
        "--health-start-period=3s",
        "--replicas-max-per-node=2",
        "--label=com.docker.stack.namespace=shop",
        "--publish=published=8099,target=80,mode=host",
    )
    await asyncio.to_thread(swarm.wait_running, "full", 2)
    service = await by_name(engine, "full")
    assert service.mode is ServiceMode.REPLICATED
    assert (service.replicas, service.desired_tasks, service.running_tasks) == (2, 2, 2)
    assert (service.cpu_limit, service.cpu_reservation) == (0.5, 0.1)
    assert (service.memory_limit, service.memory_reservation) == (64 << 20, 16 << 20)
    assert (service.start_period, service.has_health_check) == (3.0, True)
    assert (service.stack, service.image) == ("shop", WORK_IMAGE)
    assert service.max_replicas_per_node == 2
    assert [(p.published, p.target, p.publish_mode) for p in service.ports] == [(8099, 80, "host")]
    assert service.update_state is None
    assert abs(service.created_at - (await _engine_time(engine, swarm))) < 600
    tasks = await engine.tasks(service.id)
    assert {task.slot for task in tasks} == {1, 2}
    assert {task.state for task in tasks} == {TaskState.RUNNING}
    assert {task.cpu_reservation for task in tasks} == {0.1}
    assert {task.memory_reservation for task in tasks} == {16 << 20}
    assert all(task.container_id and task.node_id for task in tasks)
    assert await engine.tasks() == tasks


async def _engine_time(engine: DockerEngine, swarm: Swarm) -> float:
    return max(task.since for task in await engine.tasks())


async def test_global_services_are_told_apart(swarm: Swarm, engine: DockerEngine) -> None:
    """A global service has no replicas, and its tasks have nodes in place of slots."""
    swarm.create_service("everywhere", "--mode=global")
    await asyncio.to_thread(swarm.wait_running, "everywhere", 2)
    everywhere = await by_name(engine, "everywhere")
    assert (everywhere.mode, everywhere.replicas) == (ServiceMode.GLOBAL, None)
    assert everywhere.desired_tasks == 2
    tasks = await engine.tasks(everywhere.id)
    assert {(task.slot, task.place) for task in tasks} == {
        (None, node.node_id) for node in swarm.nodes
    }


async def test_jobs_are_told_apart(swarm_of: SwarmFactory) -> None:
    """Jobs are never taken for what can be scaled; a task that ended tells how.

    In a Swarm of its own: the manager keeps the tasks of a removed job.
    """
    other = swarm_of(1, 0)
    async with DockerEngine(other.manager.url) as engine:
        for name, mode, command in (
            ("once", "replicated-job", "true"),
            ("each", "global-job", "false"),
        ):
            flags = (f"--mode={mode}", "--restart-condition=none")
            other.create_service(name, *flags, command=(command,))
        once, each = await by_name(engine, "once"), await by_name(engine, "each")
        assert (once.mode, once.replicas) == (ServiceMode.REPLICATED_JOB, None)
        assert (each.mode, each.replicas) == (ServiceMode.GLOBAL_JOB, None)
        assert (once.job_iteration, each.job_iteration) == (0, 0)
        assert once.job_last_execution

        async def ended() -> bool:
            codes = {task.service_id: task.exit_code for task in await engine.tasks()}
            return codes.get(once.id) == 0 and codes.get(each.id) == 1

        await eventually(ended, "both tasks to end")
        states = {task.service_id: task.state for task in await engine.tasks()}
        assert states == {once.id: TaskState.COMPLETE, each.id: TaskState.FAILED}


async def test_names_and_prefixes_are_no_ids(swarm: Swarm, engine: DockerEngine) -> None:
    """Only a whole id names a service; the engine itself would take a name or a prefix."""
    swarm.create_service("web")
    service = await by_name(engine, "web")
    assert (await engine.service(service.id)).raw["Spec"] == service.raw["Spec"]
    for wrong in ("web", service.id[:10], "none", ""):
        with pytest.raises(NotFound):
            await engine.service(wrong)
        with pytest.raises(NotFound):
            await engine.container(wrong)
    with pytest.raises(NotFound):
        await engine.tasks("none")
    assert await engine.tasks(service.id[:10]) == ()


async def test_a_write_takes_its_own_version_alone(swarm: Swarm, engine: DockerEngine) -> None:
    """The newest version is written once; the same version again is a conflict and no change."""
    swarm.create_service("web")
    await asyncio.to_thread(swarm.wait_running, "web", 1)
    before = await by_name(engine, "web")
    first = {task.id for task in await engine.tasks(before.id)}
    await engine.update_service(before.id, before.version, with_replicas(before, 3))
    with pytest.raises(Conflict, match="out of sequence"):
        await engine.update_service(before.id, before.version, with_replicas(before, 5))
    await asyncio.to_thread(swarm.wait_running, "web", 3)
    after = await engine.service(before.id)
    assert after.version > before.version
    assert after.raw["Spec"] == with_replicas(before, 3)
    assert after.template == before.template
    assert first <= {task.id for task in await engine.tasks(before.id) if task.live}
    with pytest.raises(NotFound):
        await engine.update_service("x" * 25, 1, with_replicas(before, 3))


async def test_a_worker_is_not_a_manager(swarm: Swarm) -> None:
    """Everything about the Swarm is refused by a worker with the same fault."""
    async with DockerEngine(swarm.workers[0].url) as worker:
        for call in (
            worker.nodes(),
            worker.services(),
            worker.service("x"),
            worker.tasks(),
            worker.tasks("x"),
            worker.update_service("x", 1, {}),
        ):
            with pytest.raises(NotAManager):
                await call
        assert await worker.containers() == ()
        async with worker.events(None):
            pass


async def test_containers_and_what_they_use(swarm: Swarm, engine: DockerEngine) -> None:
    """Only this node's running containers of tasks are listed; readings grow with the work."""
    swarm.create_service(
        "busy",
        LOCAL,
        "--replicas=2",
        "--limit-memory=64M",
        "--limit-cpu=0.2",
        "--limit-pids=50",
        "--health-cmd=true",
        "--health-interval=1s",
        command=("sh", "-c", "while :; do :; done"),
    )
    swarm.create_service("idle", LOCAL)
    swarm.create_service("elsewhere", "--constraint=node.hostname==w1")
    stray = swarm.manager.docker("run", "--detach", WORK_IMAGE, "sleep", "1000")
    try:
        for name, count in (("busy", 2), ("idle", 1), ("elsewhere", 1)):
            await asyncio.to_thread(swarm.wait_running, name, count)
        containers = await engine.containers()
        assert sorted(c.service_name for c in containers) == ["busy", "busy", "idle"]
        assert {c.node_id for c in containers} == {swarm.manager.node_id}
        busy = next(c for c in containers if c.service_name == "busy")
        assert busy.slot in ("1", "2")
        assert busy.pid > 0
        assert busy.started_at > 1_000_000_000
        assert (busy.memory_limit, busy.cpu_limit, busy.pids_limit) == (64 << 20, 0.2, 50)
        tasks = {task.id: task for task in await engine.tasks()}
        assert tasks[busy.task_id].container_id == busy.id

        first = await engine.stats(busy.id)
        await asyncio.sleep(1)
        second = await engine.stats(busy.id)
        assert 0.05 < second.cpu_seconds - first.cpu_seconds < 5
        assert second.memory_limit == 64 << 20
        assert 0 <= second.working_set <= second.memory_usage
        assert second.cpu_throttled_periods
        assert second.pids_limit == 50
        assert second.pids
        idle = next(c for c in containers if c.service_name == "idle")
        assert (await engine.stats(idle.id)).memory_limit is None

        async def healthy() -> bool:
            return (await engine.container(busy.id)).health is Health.HEALTHY

        await eventually(healthy, "the first health check")
        swarm.manager.docker("stop", "--time=0", busy.id)
        ended = await engine.container(busy.id)
        assert (ended.running, ended.exit_code, ended.pid) == (False, 137, 0)
        with pytest.raises(NotFound):
            await engine.stats(busy.id)
        with pytest.raises(NotFound, match="belongs to no task"):
            await engine.container(stray)
    finally:
        swarm.manager.docker("rm", "--force", stray)


async def test_events_of_services_and_containers_without_noise(
    swarm: Swarm, engine: DockerEngine
) -> None:
    """A service's life is heard from creation to removal; health checks' execs are not."""
    heard: list[Event] = []

    async def listen() -> None:
        async with engine.events(None) as events:
            ready.set()
            async for event in events:
                take(event)

    take = heard.append
    ready = asyncio.Event()
    listening = asyncio.create_task(listen())
    await ready.wait()
    service_id = swarm.create_service("web", LOCAL, "--health-cmd=true", "--health-interval=1s")
    await asyncio.to_thread(swarm.wait_running, "web", 1)
    service = await engine.service(service_id)
    await engine.update_service(service.id, service.version, with_replicas(service, 2))
    await asyncio.to_thread(swarm.wait_running, "web", 2)
    swarm.manager.docker("service", "update", "--detach", "--label-add=a=b", "web")
    swarm.manager.docker("node", "update", "--label-add=x=y", "w1")
    swarm.manager.docker("kill", (await engine.containers())[0].id)
    await asyncio.to_thread(swarm.remove_services)

    def told() -> set[tuple[str, str]]:
        return {(event.type, event.action) for event in heard}

    wanted = {("service", action) for action in ("create", "update", "remove")}
    wanted |= {("container", a) for a in ("create", "start", "kill", "die", "destroy")}
    wanted |= {("container", "health_status: healthy"), ("node", "update")}

    async def all_heard() -> bool:
        return wanted <= told()

    await eventually(all_heard, f"{wanted - told()}")
    assert not {action for _, action in told() if action.startswith("exec_")}
    assert all(event.service_id == service_id for event in heard if event.type == "service")
    assert all(event.task_id for event in heard if event.type == "container")
    scaled = [event for event in heard if "replicas.new" in event.attributes]
    assert (scaled[0].attributes["replicas.old"], scaled[0].attributes["replicas.new"]) == (
        "1",
        "2",
    )
    died = next(e for e in heard if (e.type, e.action) == ("container", "die"))
    assert died.attributes["exitCode"]
    listening.cancel()
    swarm.manager.docker("node", "update", "--label-rm=x", "w1")  # other tests have this Swarm too

    first = next(event for event in heard if event.type == "container")
    async with engine.events(first.time_ns) as events:  # inclusive
        replayed = [await anext(events) for _ in range(3)]
    assert first in replayed


async def test_a_stopped_engine_is_unreachable_and_comes_back(
    swarm: Swarm, engine: DockerEngine
) -> None:
    """Calls while the engine is down say so at once; the same client works afterwards."""
    node = swarm.workers[0]
    async with DockerEngine(node.url) as client:
        await client.identity()
        await asyncio.to_thread(node.kill)
        with pytest.raises(Unreachable, match=r"no Docker socket|nothing listens"):
            await client.identity()
        await asyncio.to_thread(node.start)
        assert (await client.identity()).node_name == node.name
    await asyncio.to_thread(swarm.wait_ready)


async def test_a_frozen_engine_misses_its_deadline(swarm: Swarm) -> None:
    """A daemon that accepts and never answers ends a ping within its deadline, and again works."""
    node = swarm.workers[0]
    loop = asyncio.get_running_loop()
    async with DockerEngine(node.url, deadlines=Deadlines(ping=0.5)) as client:
        await client.ping()
        node.freeze()
        try:
            began = loop.time()
            with pytest.raises(DeadlineExceeded):
                await client.ping()
            assert loop.time() - began < 2
        finally:
            node.thaw()
        await client.ping()
    await asyncio.to_thread(swarm.wait_ready)
