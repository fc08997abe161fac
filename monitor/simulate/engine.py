"""One simulated node's daemon behind the Engine port."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from monitor.engine.parse_node import parse_node_spec
from monitor.model.config import Config
from monitor.model.container import Container, EngineIdentity, Health
from monitor.model.event import Event
from monitor.model.node import Node, NodeSpec
from monitor.model.service import Service
from monitor.model.task import Task, TaskState
from monitor.model.usage import Reading
from monitor.ports.errors import DeadlineExceeded, NotAManager, NotFound, Unreachable
from monitor.simulate.bus import EventBus
from monitor.simulate.faults import EngineFaults
from monitor.simulate.output import written
from monitor.simulate.rawjson import node_json
from monitor.simulate.spec import resources_of
from monitor.simulate.state import SimTask

if TYPE_CHECKING:
    from monitor.simulate.swarm import Swarm

T = TypeVar("T")

SWARM_DEADLINE = 30.0
DEADLINE = 10.0
CONFIG_DEADLINE = 5.0
PING_DEADLINE = 2.0


@dataclass(frozen=True, slots=True)
class Call:
    """A call that began at `mono` seconds; `key` is the id it was about, or ""."""

    mono: float
    method: str
    key: str


class SimulatedEngine:
    """`monitor.ports.engine.Engine` of one node of a Swarm, with faults to set.

    `calls` counts by method, `log` keeps the newest calls, `most_at_once` the most concurrent.
    """

    def __init__(self, swarm: "Swarm", node_id: str, bus: EventBus) -> None:
        self._swarm = swarm
        self.node_id = node_id
        self.bus = bus
        self.faults = EngineFaults()
        self.calls: Counter[str] = Counter()
        self.log: deque[Call] = deque(maxlen=50_000)
        self.most_at_once = 0
        self._at_once = 0

    # Faults that are more than a knob

    def cut_off(self) -> None:
        """The daemon is gone: calls fail, streams break."""
        self.faults.unreachable = True
        self.bus.cut()

    def restore(self) -> None:
        """The daemon is back, as after a restart: with an empty replay buffer."""
        self.faults.unreachable = False
        self.bus.forget()

    def freeze(self) -> None:
        """Nothing is answered and nothing is sent, connections stay open (SIGSTOP)."""
        self.faults.thawed.clear()
        self.bus.thawed.clear()

    def thaw(self) -> None:
        self.faults.thawed.set()
        self.bus.thawed.set()

    # The port

    async def ping(self) -> None:
        await self._call("ping", "", PING_DEADLINE, lambda: None)

    async def identity(self) -> EngineIdentity:
        node = self._swarm.node(self.node_id)
        return await self._call(
            "identity", "", DEADLINE, lambda: self._swarm.catalogue.identity(node)
        )

    async def nodes(self) -> Sequence[Node]:
        return await self._manager_call("nodes", "", self._list_nodes)

    async def services(self) -> Sequence[Service]:
        return await self._manager_call("services", "", self._list_services)

    async def service(self, service_id: str) -> Service:
        return await self._manager_call("service", service_id, lambda: self._inspect(service_id))

    async def tasks(self, service_id: str | None = None) -> Sequence[Task]:
        return await self._manager_call(
            "tasks", service_id or "", lambda: self._list_tasks(service_id)
        )

    async def update_service(self, service_id: str, version: int, spec: Mapping[str, Any]) -> None:
        def write() -> None:
            if service_id not in self._swarm.store.services:
                raise NotFound(f"service {service_id} not found")
            self._swarm.update_service(service_id, version, spec)
            self._maybe_lost()

        await self._manager_call("update_service", service_id, write)

    async def roll_back_service(
        self, service_id: str, version: int, spec: Mapping[str, Any]
    ) -> None:
        def write() -> None:
            if service_id not in self._swarm.store.services:
                raise NotFound(f"service {service_id} not found")
            self._swarm.roll_back(service_id, version)
            self._maybe_lost()

        await self._manager_call("update_service", service_id, write)

    async def node(self, node_id: str) -> NodeSpec:
        return await self._manager_call("node", node_id, lambda: self._inspect_node(node_id))

    async def update_node(self, node_id: str, version: int, spec: Mapping[str, Any]) -> None:
        def write() -> None:
            self._swarm.update_node(node_id, version, spec)
            self._maybe_lost()

        await self._manager_call("update_node", node_id, write)

    async def secret_ids(self) -> frozenset[str]:
        return await self._manager_call("secrets", "", frozenset)

    async def config_ids(self) -> frozenset[str]:
        store = self._swarm.store
        return await self._manager_call("configs", "", lambda: frozenset(store.configs))

    async def config(self, name: str) -> Config:
        return await self._manager_call(
            "config",
            name,
            lambda: self._swarm.catalogue.config(self._swarm.config(name)),
            CONFIG_DEADLINE,
        )

    async def create_config(self, name: str, labels: Mapping[str, str], data: bytes) -> None:
        def write() -> None:
            self._swarm.create_config(name, labels, data)
            self._maybe_lost()

        await self._manager_call("create_config", name, write, CONFIG_DEADLINE)

    async def update_config(self, config: Config, labels: Mapping[str, str]) -> None:
        def write() -> None:
            self._swarm.label_config(config.id, config.version, labels)
            self._maybe_lost()

        await self._manager_call("update_config", config.id, write, CONFIG_DEADLINE)

    async def containers(self) -> Sequence[Container]:
        return await self._call("containers", "", DEADLINE, self._list_containers)

    async def ended_containers(self) -> Sequence[Container]:
        return await self._call("ended_containers", "", DEADLINE, self._list_ended)

    async def container(self, container_id: str) -> Container:
        return await self._call(
            "container", container_id, DEADLINE, lambda: self._container(self._find(container_id))
        )

    async def logs(self, container: Container, lines: int) -> Sequence[str]:
        return await self._call(
            "logs", container.id, DEADLINE, lambda: self._logs(self._find(container.id), lines)
        )

    async def stop_container(self, container_id: str, grace: int | None) -> None:
        task = await self._call("stop", container_id, DEADLINE, lambda: self._find(container_id))
        await self._swarm.stop_container(task.id, grace)

    async def stats(self, container_id: str) -> Reading:
        return await self._call("stats", container_id, DEADLINE, lambda: self._stats(container_id))

    @asynccontextmanager
    async def events(self, since_ns: int | None) -> AsyncIterator[AsyncIterator[Event]]:
        await self._call("events", "", DEADLINE, lambda: None)
        async with self.bus.subscribe(since_ns) as stream:
            yield stream

    async def close(self) -> None:
        """Nothing to close."""

    # What the daemon does

    def _maybe_lost(self) -> None:
        if self.faults.lose_replies:
            self.faults.lose_replies -= 1
            raise Unreachable("cut off before the answer")

    async def _manager_call(
        self, method: str, key: str, look: Callable[[], T], deadline: float = SWARM_DEADLINE
    ) -> T:
        def checked() -> T:
            node = self._swarm.store.nodes.get(self.node_id)
            if node is None or node.role != "manager":
                raise NotAManager("This node is not a swarm manager.")
            if not self._swarm.has_leader:
                raise NotAManager("The swarm does not have a leader.")
            return look()

        return await self._call(method, key, deadline, checked)

    async def _call(self, method: str, key: str, deadline: float, look: Callable[[], T]) -> T:
        self.calls[method] += 1
        self.log.append(Call(self._swarm.mono(), method, key))
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            async with asyncio.timeout(deadline):
                await self.faults.on_the_way(method)
                found = look()
                await self.faults.on_the_way_back(method, key)
                return found
        except TimeoutError:
            raise DeadlineExceeded(f"no answer within {deadline:g} s") from None
        finally:
            self._at_once -= 1

    def _list_nodes(self) -> list[Node]:
        return [self._swarm.catalogue.node(node) for node in self._swarm.store.nodes.values()]

    def _inspect_node(self, node_id: str) -> NodeSpec:
        node = self._swarm.store.nodes.get(node_id)
        if node is None:
            raise NotFound(f"node {node_id} not found")
        return parse_node_spec(node_json(node))

    def _list_services(self) -> list[Service]:
        store, catalogue = self._swarm.store, self._swarm.catalogue
        return [
            catalogue.service_listed(service, list(store.tasks_of[service.id].values()))
            for service in store.services.values()
        ]

    def _inspect(self, service_id: str) -> Service:
        service = self._swarm.store.services.get(service_id)
        if service is None:
            raise NotFound(f"service {service_id} not found")
        return self._swarm.catalogue.service(service)

    def _list_tasks(self, service_id: str | None) -> list[Task]:
        store = self._swarm.store
        if service_id is not None and service_id not in store.services:
            raise NotFound(f"service {service_id} not found")
        tasks = store.tasks if service_id is None else store.tasks_of[service_id]
        return [self._swarm.catalogue.task(task) for task in tasks.values()]

    def _list_containers(self) -> list[Container]:
        return [
            self._container(task)
            for task in self._swarm.store.tasks_on[self.node_id].values()
            if task.container_id and not task.state.ended
        ]

    def _list_ended(self) -> list[Container]:
        there = self._swarm.store.tasks_on[self.node_id].values()
        ended = [task for task in there if task.has_container and task.state.ended]
        newest = sorted(ended, key=lambda task: (-task.started_ns, task.id))[:100]
        return [found for task in newest if (found := self._container(task)).finished_at]

    def _logs(self, task: SimTask, lines: int) -> Sequence[str]:
        return written(self._swarm, task)[-lines:]

    def _find(self, container_id: str) -> SimTask:
        for task in self._swarm.store.tasks_on[self.node_id].values():
            if task.has_container and task.container_id == container_id:
                return task
        raise NotFound(f"No such container: {container_id}")

    def _container(self, task: SimTask) -> Container:
        health = self._swarm.health.get(task.id, Health.NONE)
        return self._swarm.catalogue.container(task, health)

    def _stats(self, container_id: str) -> Reading:
        task = self._find(container_id)
        if task.state not in (TaskState.STARTING, TaskState.RUNNING):  # as container_json says
            raise NotFound("the container does not run")
        _, memory_limit = resources_of(task.spec, "Limits")
        return self._swarm.load.reading(
            task.service_id, task.id, memory_limit or None, self._swarm.mono()
        )
