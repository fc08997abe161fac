"""The mirror against what the docker client says, on three managers and one worker."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from monitor.agent.clock import SystemClock
from monitor.cluster.mirror import Mirror
from monitor.engine.client import DockerEngine
from monitor.engine.stream import EventStream
from monitor.model.task import TaskState
from monitor.model.view import ServiceView
from tests.real.conftest import SwarmFactory
from tests.real.lab import WORK_IMAGE_2, Node, Swarm

pytestmark = pytest.mark.slow

RELIST = 30.0
SOON = 6.0  # what events tell, and a few polls, with room for a busy machine


@pytest.fixture(scope="module")
def swarm(swarm_of: SwarmFactory) -> Swarm:
    return swarm_of(3, 1)


@asynccontextmanager
async def mirror_on(node: Node) -> AsyncIterator[Mirror]:
    """A mirror with its event stream on that node, ready."""
    async with DockerEngine(node.url) as engine:
        mirror = Mirror(engine, SystemClock(), lambda _: None, RELIST)
        stream = EventStream(engine, SystemClock(), mirror.hint, mirror.resync)
        runs = [asyncio.create_task(mirror.run()), asyncio.create_task(stream.run())]
        try:
            async with asyncio.timeout(30):
                await mirror.wait_ready()
            yield mirror
        finally:
            for run in runs:
                run.cancel()
            for run in runs:
                with suppress(asyncio.CancelledError):
                    await run


@pytest.fixture
async def mirror(swarm: Swarm) -> AsyncIterator[Mirror]:
    async with mirror_on(swarm.managers[1]) as running:
        yield running
    await asyncio.to_thread(swarm.remove_services)


def differences(swarm: Swarm, mirror: Mirror, views: dict[str, ServiceView | None]) -> list[str]:
    """Where `docker service ls`, `docker service ps` and `docker node ls` say otherwise.

    views: by name, taken on the event loop, whose clock they need.
    """
    docker, found = swarm.manager.docker, []
    listed = docker("service", "ls", "--format", "{{.ID}} {{.Name}} {{.Replicas}}").splitlines()
    names = {service.name: key for key, service in mirror.services().items()}
    if set(names) != {line.split()[1] for line in listed}:
        found.append(f"services {sorted(names)} are not {listed}")
        return found
    for line in listed:
        _, name, replicas = line.split()[:3]
        view = views.get(name)
        if view is None:
            found.append(f"{name}: no view of it yet")
            continue
        held = f"{len(view.running_tasks)}/{view.desired}"
        if held != replicas:
            found.append(f"{name}: {held} is not {replicas}")
        shown = docker(
            "service", "ps", "--no-trunc", name,
            "--format", "{{.ID}} {{.CurrentState}} {{.DesiredState}}",
        )  # fmt: skip
        theirs = Counter(
            (words[0], words[1].lower(), words[-1].lower())
            for words in map(str.split, shown.splitlines())
        )
        ours = Counter((task.id, task.state.label, task.desired_state.label) for task in view.tasks)
        if ours != theirs:
            found.append(f"{name}: tasks {ours - theirs} are not {theirs - ours}")
    nodes = docker("node", "ls", "--format", "{{.ID}} {{.Status}} {{.Availability}}").splitlines()
    held_nodes = [
        f"{node.id} {node.state.value} {node.availability.value}"
        for node in mirror.nodes().values()
    ]
    if sorted(held_nodes) != sorted(line.lower() for line in nodes):
        found.append(f"nodes {held_nodes} are not {nodes}")
    return found


def views_of(mirror: Mirror) -> dict[str, ServiceView | None]:
    return {one.name: mirror.view(one.id) for one in mirror.services().values()}


async def until(
    condition: Callable[[], object], within: float, say: Callable[[], object] = lambda: ""
) -> float:
    """Wait for the condition; returns how long that took, in seconds."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not condition():
        if loop.time() - began > within:
            pytest.fail(f"not so within {within} s: {say()}")
        await asyncio.sleep(0.05)
    return loop.time() - began


async def agrees(swarm: Swarm, mirror: Mirror, within: float = SOON) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while found := await asyncio.to_thread(differences, swarm, mirror, views_of(mirror)):
        if loop.time() - began > within:
            pytest.fail(f"the mirror differs for {within} s: {found}")
        await asyncio.sleep(0.2)


async def test_create_scale_update_and_remove(swarm: Swarm, mirror: Mirror) -> None:
    """Each change by the docker client is held within seconds, without waiting for a list."""
    assert mirror.state == "manager"
    swarm.create_service("web", "--replicas=3")
    swarm.create_service("agent", "--mode=global")
    await asyncio.to_thread(swarm.wait_running, "web", 3)
    await asyncio.to_thread(swarm.wait_running, "agent", 4)
    await agrees(swarm, mirror)
    docker = swarm.manager.docker
    await asyncio.to_thread(docker, "service", "scale", "--detach", "web=6")
    await asyncio.to_thread(swarm.wait_running, "web", 6)
    await agrees(swarm, mirror)
    await asyncio.to_thread(docker, "service", "scale", "--detach", "web=2")
    await asyncio.to_thread(swarm.wait_running, "web", 2)
    await agrees(swarm, mirror)
    await asyncio.to_thread(
        docker, "service", "update", "--detach", "--no-resolve-image", "--image", WORK_IMAGE_2,
        "--update-monitor=1s", "web",
    )  # fmt: skip
    view = mirror.by_name("web")
    assert view is not None
    await until(lambda: _update(mirror, "web") == "updating", SOON)
    await until(lambda: _update(mirror, "web") == "completed", 60)
    view = mirror.by_name("web")
    assert view is not None
    assert {task.template for task in view.live_tasks} == {view.service.template}
    await agrees(swarm, mirror)
    await asyncio.to_thread(docker, "service", "rm", "agent")
    await until(lambda: mirror.by_name("agent") is None, SOON)
    await agrees(swarm, mirror)
    assert mirror.fresh


def _update(mirror: Mirror, name: str) -> str | None:
    view = mirror.by_name(name)
    return view.service.update_state if view else None


async def test_a_killed_container_is_seen_at_once_here_and_by_the_next_list_elsewhere(
    swarm: Swarm, mirror: Mirror
) -> None:
    """Its own engine tells of it; of other nodes' containers no manager's engine tells."""
    here, there = swarm.managers[1], swarm.workers[0]
    for name, node in (("here", here), ("there", there)):
        swarm.create_service(
            name, f"--constraint=node.hostname=={node.name}", "--restart-condition=none"
        )
    for name in ("here", "there"):
        await asyncio.to_thread(swarm.wait_running, name, 1)
    await agrees(swarm, mirror)
    await asyncio.sleep(5)  # nothing is watched any more
    for name, node, within in (("here", here, SOON), ("there", there, RELIST + SOON)):
        container = node.docker("ps", "--quiet", "--filter", f"name={name}.1").strip()
        await asyncio.to_thread(node.docker, "kill", container)
        await until(lambda name=name: not _running(mirror, name), within)
    await agrees(swarm, mirror)
    view = mirror.by_name("there")
    assert view is not None
    assert (view.tasks[0].state, view.tasks[0].exit_code) == (TaskState.FAILED, 137)


def _running(mirror: Mirror, name: str) -> int:
    view = mirror.by_name(name)
    return len(view.running_tasks) if view else 0


async def test_a_drained_node_is_followed(swarm: Swarm, mirror: Mirror) -> None:
    """Tasks move and the global service wants one less; both come back on activation."""
    swarm.create_service("web", "--replicas=4")
    swarm.create_service("agent", "--mode=global")
    await asyncio.to_thread(swarm.wait_running, "agent", 4)
    await asyncio.to_thread(swarm.wait_running, "web", 4)
    await agrees(swarm, mirror)
    worker = swarm.workers[0]
    docker = swarm.manager.docker
    try:
        await asyncio.to_thread(docker, "node", "update", "--availability=drain", worker.name)
        await until(lambda: mirror.nodes()[worker.node_id].availability == "drain", SOON)
        await asyncio.to_thread(swarm.wait_running, "agent", 3)
        await asyncio.to_thread(swarm.wait_running, "web", 4)
        await agrees(swarm, mirror)
        view = mirror.by_name("web")
        assert view is not None
        assert worker.node_id not in {task.node_id for task in view.running_tasks}
    finally:
        await asyncio.to_thread(docker, "node", "update", "--availability=active", worker.name)
    await asyncio.to_thread(swarm.wait_running, "agent", 4)
    await agrees(swarm, mirror, RELIST + SOON)


async def test_a_dead_node_takes_its_tasks_out_of_running(swarm: Swarm, mirror: Mirror) -> None:
    """The Swarm keeps them `running`; the mirror counts those alone that can run."""
    swarm.create_service("web", "--replicas=4")
    await asyncio.to_thread(swarm.wait_running, "web", 4)
    await agrees(swarm, mirror)
    worker = swarm.workers[0]
    view = mirror.by_name("web")
    assert view is not None
    lost = {task.id for task in view.tasks if task.node_id == worker.node_id}
    assert lost
    worker.kill()
    try:
        await until(lambda: mirror.nodes()[worker.node_id].state == "down", 60)
        await until(lambda: _running(mirror, "web") == 4, 30)
        view = mirror.by_name("web")
        assert view is not None
        assert view.desired == 4
        assert lost.isdisjoint({task.id for task in view.running_tasks})
        still = {task.id for task in view.tasks if task.state is TaskState.RUNNING}
        assert lost <= still
    finally:
        await asyncio.to_thread(worker.start)
        await asyncio.to_thread(swarm.wait_ready)
    await agrees(swarm, mirror, RELIST + SOON)


async def test_the_leader_dies(swarm: Swarm, mirror: Mirror) -> None:
    """An election passes: facts stay, and the mirror is in touch again within seconds."""
    swarm.create_service("web", "--replicas=3", "--constraint=node.role==worker")
    await asyncio.to_thread(swarm.wait_running, "web", 3)
    await agrees(swarm, mirror)
    leader = await asyncio.to_thread(swarm.leader)
    if leader is swarm.managers[1]:
        pytest.skip("the mirror's own node leads")
    leader.kill()
    try:
        await until(lambda: not mirror.nodes()[leader.node_id].leader, 60)
        await until(lambda: mirror.fresh, 60, lambda: mirror.why)
        assert _running(mirror, "web") == 3
    finally:
        await asyncio.to_thread(leader.start)
        await asyncio.to_thread(swarm.wait_ready)
    await agrees(swarm, mirror, RELIST + SOON)


async def test_demotion_empties_and_promotion_fills(swarm: Swarm) -> None:
    """The mirror of a node that is made a worker knows nothing, and all again afterwards."""
    node, docker = swarm.managers[2], swarm.managers[0].docker
    async with mirror_on(swarm.workers[0]) as nothing:
        assert nothing.state == "worker"
        assert not nothing.fresh
    swarm.create_service("web", "--replicas=2")
    await asyncio.to_thread(swarm.wait_running, "web", 2)
    async with mirror_on(node) as mirror:
        await agrees(swarm, mirror)
        await asyncio.to_thread(docker, "node", "demote", node.name)
        try:
            await until(lambda: mirror.state == "worker", RELIST + 30, lambda: mirror.why)
            assert not mirror.services()
            assert not mirror.nodes()
        finally:
            await asyncio.to_thread(docker, "node", "promote", node.name)
        await until(lambda: mirror.fresh, 60, lambda: mirror.why)
        await agrees(swarm, mirror)
    await asyncio.to_thread(swarm.remove_services)
