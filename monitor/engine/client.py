"""The Engine port over one Docker Engine."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any, Self

from monitor.engine import subscription
from monitor.engine.address import parse_address
from monitor.engine.body import each, one
from monitor.engine.calls import CallStats
from monitor.engine.deadlines import Deadlines
from monitor.engine.elements import Elements, Known
from monitor.engine.log_lines import LogLines
from monitor.engine.parse_config import parse_config
from monitor.engine.parse_container import TASK_LABEL, parse_container
from monitor.engine.parse_identity import parse_identity
from monitor.engine.parse_node import parse_node, parse_node_spec
from monitor.engine.parse_service import parse_service
from monitor.engine.parse_stats import parse_stats
from monitor.engine.parse_task import parse_task
from monitor.engine.raw import part, text
from monitor.engine.transport import MAX_BODY, Transport
from monitor.model.config import Config
from monitor.model.container import Container, EngineIdentity
from monitor.model.event import Event
from monitor.model.node import Node, NodeSpec
from monitor.model.service import Service
from monitor.model.task import Task
from monitor.model.usage import Reading
from monitor.ports.asking import side_by_side
from monitor.ports.errors import BadAnswer, NotFound

_INSPECTS_AT_ONCE = 8
_MOST_ENDED = 100

DEFAULT_GRACE = 10
"""Seconds that an engine gives a container without a time of its own to stop."""


class DockerEngine:
    """`monitor.ports.engine.Engine` over aiodocker.

    `url` is `unix:///path`, `tcp://host:port` or `http(s)://host:port`; else ValueError. Nothing
    connects before the first call, so an engine that is away is no reason not to start.
    """

    def __init__(
        self, url: str, *, deadlines: Deadlines | None = None, max_body: int = MAX_BODY
    ) -> None:
        self._deadlines = deadlines or Deadlines()
        self._transport = Transport(parse_address(url), max_body=max_body)
        self._inspecting = asyncio.Semaphore(_INSPECTS_AT_ONCE)
        self._host_memory: int | None = None
        self._known_nodes = Known[Node]()
        self._known_services = Known[Service]()
        self._known_tasks = Known[Task]()

    async def open(self) -> None:
        """Must be called once, inside the loop, before any other method."""
        await self._transport.open()

    async def close(self) -> None:
        await self._transport.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def call_stats(self) -> CallStats:
        return self._transport.stats

    @property
    def api_version(self) -> str:
        """The daemon's newest, say "1.41"; "" before the first answer."""
        return self._transport.api_version

    async def refresh_version(self) -> None:
        """Asks for the daemon's newest API version anew; opening an event stream does so too."""
        await self._transport.refresh_version(self._deadlines.local)

    async def ping(self) -> None:
        await self._transport.call(
            "GET", "/_ping", _pong, deadline=self._deadlines.ping, versioned=False
        )

    async def identity(self) -> EngineIdentity:
        info = await self._transport.call("GET", "/info", one, deadline=self._deadlines.local)
        identity = parse_identity(info, self.api_version)
        self._host_memory = identity.memory_bytes
        return identity

    @property
    def decoded(self) -> int:
        """Elements of lists that differed from what was known of them, so far."""
        lists = (self._known_nodes, self._known_services, self._known_tasks)
        return sum(known.decoded for known in lists)

    async def nodes(self) -> Sequence[Node]:
        return await self._transport.read(
            "GET",
            "/nodes",
            lambda: Elements(parse_node, self._known_nodes, whole=True),
            deadline=self._deadlines.swarm,
        )

    async def services(self) -> Sequence[Service]:
        # Unknown to versions before 1.41 and ignored by them: no need to know the version first.
        return await self._transport.read(
            "GET",
            "/services",
            lambda: Elements(parse_service, self._known_services, whole=True),
            params={"status": "true"},
            deadline=self._deadlines.swarm,
        )

    async def service(self, service_id: str) -> Service:
        _require(service_id, "service")
        service = await self._transport.call(
            "GET",
            "/services/{id}",
            lambda body: parse_service(one(body)),
            object_id=service_id,
            deadline=self._deadlines.swarm,
        )
        if service.id != service_id:  # the daemon also answers to names and prefixes
            raise NotFound(f"no service has the id {service_id}")
        return service

    async def tasks(self, service_id: str | None = None) -> Sequence[Task]:
        params = {}
        if service_id is not None:
            _require(service_id, "service")
            params["filters"] = json.dumps({"service": [service_id]})
        tasks = await self._transport.read(
            "GET",
            "/tasks",
            lambda: Elements(parse_task, self._known_tasks, whole=service_id is None),
            params=params,
            deadline=self._deadlines.swarm,
        )
        if service_id is None:
            return tasks
        return tuple(task for task in tasks if task.service_id == service_id)

    async def update_service(self, service_id: str, version: int, spec: Mapping[str, Any]) -> None:
        """See the port. Pull credentials stay those of the present spec: none are sent."""
        await self._update(service_id, spec, version=str(version), registryAuthFrom="spec")

    async def roll_back_service(
        self, service_id: str, version: int, spec: Mapping[str, Any]
    ) -> None:
        """See the port. Pull credentials are those of the previous spec, as the client has it."""
        await self._update(
            service_id,
            spec,
            version=str(version),
            registryAuthFrom="previous-spec",
            rollback="previous",
        )

    async def _update(self, service_id: str, spec: Mapping[str, Any], **params: str) -> None:
        _require(service_id, "service")
        await self._transport.call(
            "POST",
            "/services/{id}/update",
            one,
            object_id=service_id,
            params=params,
            content=spec,
            deadline=self._deadlines.swarm,
        )

    async def node(self, node_id: str) -> NodeSpec:
        _require(node_id, "node")
        found = await self._transport.call(
            "GET",
            "/nodes/{id}",
            lambda body: parse_node_spec(one(body)),
            object_id=node_id,
            deadline=self._deadlines.swarm,
        )
        if found.node.id != node_id:  # the daemon also answers to names, prefixes and "self"
            raise NotFound(f"no node has the id {node_id}")
        return found

    async def update_node(self, node_id: str, version: int, spec: Mapping[str, Any]) -> None:
        _require(node_id, "node")
        await self._transport.call(
            "POST",
            "/nodes/{id}/update",
            lambda _: None,  # answers with an empty body
            object_id=node_id,
            params={"version": str(version)},
            content=spec,
            deadline=self._deadlines.swarm,
        )

    async def secret_ids(self) -> frozenset[str]:
        return await self._ids("/secrets")

    async def config_ids(self) -> frozenset[str]:
        return await self._ids("/configs")

    async def _ids(self, endpoint: str) -> frozenset[str]:
        listed = await self._transport.call(
            "GET",
            endpoint,
            lambda body: each(body, lambda raw: text(raw, "ID") or None),
            deadline=self._deadlines.swarm,
        )
        return frozenset(listed)

    async def config(self, name: str) -> Config:
        listed = await self._transport.call(
            "GET",
            "/configs",
            lambda body: each(body, parse_config),
            params={"filters": json.dumps({"name": [name]})},
            deadline=self._deadlines.config,
        )
        for config in listed:
            if config.name == name:  # the filter also lets through what begins with it
                return config
        raise NotFound(f"no config has the name {name}")

    async def create_config(self, name: str, labels: Mapping[str, str], data: bytes) -> None:
        await self._transport.call(
            "POST",
            "/configs/create",
            one,
            content={
                "Name": name,
                "Labels": dict(labels),
                "Data": base64.b64encode(data).decode(),
            },
            deadline=self._deadlines.config,
        )

    async def update_config(self, config: Config, labels: Mapping[str, str]) -> None:
        """See the port. All but the labels goes back as it came: the Engine refuses any change."""
        _require(config.id, "config")
        await self._transport.call(
            "POST",
            "/configs/{id}/update",
            lambda _: None,  # answers with an empty body
            object_id=config.id,
            params={"version": str(config.version)},
            content={**part(config.raw, "Spec"), "Labels": dict(labels)},
            deadline=self._deadlines.config,
        )

    async def containers(self) -> Sequence[Container]:
        found = await self._inspected({"label": [TASK_LABEL]}, None)
        return tuple(container for container in found if container.running)

    async def ended_containers(self) -> Sequence[Container]:
        """See the port. The list has the newest first."""
        found = await self._inspected(
            {"label": [TASK_LABEL], "status": ["exited", "dead"]}, _MOST_ENDED
        )
        return tuple(container for container in found if container.finished_at)

    async def _inspected(
        self, filters: Mapping[str, list[str]], most: int | None
    ) -> Sequence[Container]:
        listed = await self._transport.call(
            "GET",
            "/containers/json",
            lambda body: each(body, lambda raw: text(raw, "Id") or None),
            params={"filters": json.dumps(filters)},
            deadline=self._deadlines.local,
        )
        async with side_by_side() as group:
            asked = [group.ask(self._inspect_if_there, one_id) for one_id in listed[:most]]
        return tuple(found for task in asked if (found := task.result()) is not None)

    async def container(self, container_id: str) -> Container:
        _require(container_id, "container")
        container = await self._transport.call(
            "GET",
            "/containers/{id}/json",
            lambda body: parse_container(one(body)),
            object_id=container_id,
            deadline=self._deadlines.local,
        )
        if container is None:
            raise NotFound(f"container {container_id} belongs to no task")
        return container

    async def logs(self, container: Container, lines: int) -> Sequence[str]:
        """See the port."""
        return await self._transport.read(
            "GET",
            "/containers/{id}/logs",
            lambda: LogLines(lines, tty=container.tty),
            object_id=container.id,
            params={"stdout": "true", "stderr": "true", "tail": str(lines)},
            deadline=self._deadlines.local,
        )

    async def stop_container(self, container_id: str, grace: int | None) -> None:
        """See the port. No signal is named: Swarm gave the container the service's own."""
        _require(container_id, "container")
        await self._transport.call(
            "POST",
            "/containers/{id}/stop",
            lambda _: None,  # answers with an empty body
            object_id=container_id,
            params={} if grace is None else {"t": str(grace)},
            deadline=self._deadlines.local + (DEFAULT_GRACE if grace is None else grace),
        )

    async def stats(self, container_id: str) -> Reading:
        _require(container_id, "container")
        if self._host_memory is None:
            await self.identity()
        host_memory = self._host_memory or 0
        params = {"stream": "false"}
        if self._transport.api_at_least(1, 41):
            params["one-shot"] = "true"  # else the daemon waits for a second sample
        return await self._transport.call(
            "GET",
            "/containers/{id}/stats",
            lambda body: parse_stats(one(body), host_memory),
            object_id=container_id,
            params=params,
            deadline=self._deadlines.local,
        )

    def events(self, since_ns: int | None) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        return self._subscribe(since_ns)

    @asynccontextmanager
    async def _subscribe(self, since_ns: int | None) -> AsyncIterator[AsyncIterator[Event]]:
        connection = self._transport.stream(
            "/events", deadline=self._deadlines.local, params=subscription.query(since_ns)
        )
        async with connection as chunks, aclosing(subscription.events(chunks)) as events:
            yield events

    async def _inspect_if_there(self, container_id: str) -> Container | None:
        async with self._inspecting:
            try:
                return await self.container(container_id)
            except NotFound:
                return None


def _pong(body: bytes) -> None:
    if body.strip() != b"OK":
        raise BadAnswer("the answer is not OK: not a Docker Engine?")


def _require(object_id: str, what: str) -> None:
    # An empty id would ask for the list.
    if not object_id:
        raise NotFound(f"no {what} has an empty id")
