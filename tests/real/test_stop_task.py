"""Stopping one task on a real engine, over real streams: nothing else can be stopped by it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from monitor.act.permit import Permit
from monitor.act.stop_desk import StopDesk
from monitor.act.writer import Writer
from monitor.agent.clock import SystemClock
from monitor.engine.client import DockerEngine
from monitor.fleet.peers import Peers
from monitor.fleet.secret import Secret
from monitor.fleet.server import StreamServer
from monitor.model.action import RestartTask
from monitor.model.outcome import OutcomeKind
from monitor.model.peer import Command, CommandResult
from monitor.model.stop_task import STOP_TASK, StopOrder
from tests.real.asking import by_name
from tests.real.lab import WORK_IMAGE, Node, Swarm
from tests.unit.build import decision
from tests.unit.fleet.build import SECRET, Heard, about, looking, until, up

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(300)]

ON_W1 = ("--replicas=2", "--constraint=node.hostname==w1", "--restart-delay=500ms")


@pytest.fixture(scope="module")
def swarm(swarm_of: Any) -> Iterator[Swarm]:
    """A manager and a worker; two services of two tasks, and containers that Swarm knows nothing
    of, one of them with the labels of a task."""
    swarm = swarm_of(1, 1)
    for name in ("web", "db"):
        swarm.create_service(name, *ON_W1, "--stop-grace-period=1s")
        swarm.wait_running(name, 2)
    yield swarm
    worker = swarm.workers[0]
    for container in worker.docker("ps", "-q", "--filter=name=plain").split():
        worker.docker("rm", "-f", container)
    swarm.remove_services()


def plain(node: Node, name: str, *options: str) -> str:
    """The id of a container that a person runs."""
    command = ("run", "-d", "--name", f"plain-{name}", *options, WORK_IMAGE, "sleep", "3600")
    return node.docker(*command).strip()


@dataclass
class Actor:
    """Streams from a manager's agent to the worker's, with that secret."""

    peers: Peers
    node_id: str

    async def send(self, order: StopOrder | dict[str, Any], number: object, **fields: Any) -> Any:
        arguments = order if isinstance(order, dict) else order.as_arguments()
        made = Command(f"d{number}", STOP_TASK, 1, 5.0, arguments)
        return await self.peers.command(self.node_id, replace(made, **fields), timeout=10.0)

    async def command(self, node_id: str, command: Command) -> CommandResult:
        return await self.peers.command(node_id, command)


@asynccontextmanager
async def streams(swarm: Swarm, secret: bytes = SECRET, **own: Any) -> AsyncIterator[Actor]:
    """The worker's agent and a manager's, which knows `secret`."""
    worker, clock = swarm.workers[0], SystemClock()
    async with DockerEngine(worker.url) as engine:
        desk = StopDesk(
            engine,
            clock,
            node_id=lambda: worker.node_id,
            own_service_id=lambda: own.get("service"),
            own_container_id=own.get("container"),
        )
        server = StreamServer(
            clock,
            Secret(value=SECRET),
            lambda: about(worker.node_id),
            on_command=desk.carry_out,
        )
        async with desk.open(), server.serve("127.0.0.1", 0) as port:
            places = {worker.node_id: (f"127.0.0.1:{port}",)}
            async with looking(places, Heard(), secret=secret) as peers:
                yield Actor(peers, worker.node_id)


async def connected(actor: Actor) -> None:
    await until(lambda: up(actor.peers, actor.node_id))


def running(node: Node) -> set[str]:
    """Whole ids of all containers that run on the node."""
    return set(node.docker("ps", "-q", "--no-trunc").split())


def orders(swarm: Swarm, service: str) -> list[StopOrder]:
    return [
        StopOrder(
            task["ID"],
            task["ServiceID"],
            task["NodeID"],
            task["Status"]["ContainerStatus"]["ContainerID"],
            1,
        )
        for task in swarm.running(service)
    ]


def replaced(swarm: Swarm, gone: StopOrder) -> set[str]:
    """The tasks of `web` that run, without the one that was stopped."""
    return {task["ID"] for task in swarm.running("web")} - {gone.task_id}


async def test_nothing_but_that_tasks_container_can_be_stopped(swarm: Swarm) -> None:
    """Forged ids, another service's container, plain containers with and without a task's labels,
    its own container: all run on, by a sender who knows the secret."""
    worker = swarm.workers[0]
    web, other = orders(swarm, "web")
    db = orders(swarm, "db")[0]
    labels = {
        "com.docker.swarm.task": "",
        "com.docker.swarm.task.id": "forgedtask000000000000001",
        "com.docker.swarm.task.name": "web.9.forgedtask000000000000001",
        "com.docker.swarm.service.id": web.service_id,
        "com.docker.swarm.node.id": db.node_id,
    }
    unlabelled = plain(worker, "unlabelled")
    halfway = {key: value for key, value in labels.items() if not key.endswith("service.id")}
    half = plain(worker, "half", *(f"--label={k}={v}" for k, v in halfway.items()))
    before = running(worker)
    forged: list[Any] = [
        replace(web, container_id=unlabelled),
        replace(web, container_id=half),
        replace(web, task_id=labels["com.docker.swarm.task.id"], container_id=half),
        replace(web, container_id=other.container_id),
        replace(web, container_id=db.container_id),
        replace(web, task_id=db.task_id),
        replace(web, task_id=other.task_id),
        replace(web, service_id=db.service_id),
        replace(web, task_id=db.task_id, container_id=db.container_id),
        replace(web, node_id=swarm.manager.node_id),
        replace(web, container_id="0" * 64),
        web.as_arguments() | {"container_id": web.container_id[:12]},
        web.as_arguments() | {"container_id": f"web.1.{web.task_id}"},
        web.as_arguments() | {"container_id": ""},
        web.as_arguments() | {"container_id": None},
        web.as_arguments() | {"grace": "0"},
        {},
    ]
    async with streams(swarm) as actor:
        await connected(actor)
        for number, order in enumerate(forged):
            result = await actor.send(order, number)
            assert (result.done, result.known) == (False, True), (order, result)
        late = await actor.send(web, "late", expires_in=0.0)
        assert not late.done
        other_kind = await actor.send(web, "kind", kind="remove_container")
        assert not other_kind.done
    for own in ({"service": web.service_id}, {"container": web.container_id}):
        async with streams(swarm, **own) as actor:
            await connected(actor)
            assert "very program" in (await actor.send(web, "own")).detail
    # A second container that claims to be the task: nobody can tell them apart for sure.
    twin = {**labels, "com.docker.swarm.task.id": web.task_id}
    claims = plain(worker, "twin", *(f"--label={k}={v}" for k, v in twin.items()))
    async with streams(swarm) as actor:
        await connected(actor)
        for order in (web, replace(web, container_id=claims)):
            assert not (await actor.send(order, order.container_id[:8])).done
    assert running(worker) == {*before, claims}
    worker.docker("rm", "-f", claims, half, unlabelled)


async def test_a_wrong_secret_reaches_nothing(swarm: Swarm) -> None:
    """Not even a hello: the command is not sent."""
    web, before = orders(swarm, "web")[0], running(swarm.workers[0])
    async with streams(swarm, b"another secret than the others have") as actor:
        await asyncio.sleep(1)
        result = await actor.send(web, 1, expires_in=2.0)
        assert not result.done
        assert "not sent" in result.detail
    assert running(swarm.workers[0]) == before


async def test_the_task_is_stopped_once_and_replaced(swarm: Swarm) -> None:
    """By the writer, with the service's grace period; the same command again does nothing."""
    worker = swarm.workers[0]
    web, other = orders(swarm, "web")
    others = {one.container_id for one in orders(swarm, "db")} | {other.container_id}
    async with streams(swarm) as actor, DockerEngine(swarm.manager.url) as manager:
        await connected(actor)
        service = await by_name(manager, "web")
        clock = SystemClock()

        class Acts:
            def term(self) -> int:
                return 1

            def why_not(self) -> str:
                return ""

        made = decision(
            RestartTask(web.task_id, web.node_id, web.container_id, "1"),
            service_id=service.id,
            version=service.version,
            time=clock.now(),
        )
        began = time.monotonic()
        outcome = await Writer(manager, Acts(), clock, hands=actor).write(made, Permit(1))
        took = time.monotonic() - began
        assert outcome.kind is OutcomeKind.APPLIED, outcome
        assert outcome.detail == "its container has stopped"
        await until(lambda: len(replaced(swarm, web)) == 2, 60)
        assert other.task_id in replaced(swarm, web)
        after = running(worker)
        assert others < after
        again = await Writer(manager, Acts(), clock, hands=actor).write(made, Permit(1))
        assert again.kind is OutcomeKind.REFUSED, again
        for number in ("r", "r", "s"):
            assert not (await actor.send(web, number)).done
        assert running(worker) == after
    print(f"stopped within {took:.2f} s")
