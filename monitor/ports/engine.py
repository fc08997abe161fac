"""Docker, as the rooms above know it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from monitor.model.config import Config
from monitor.model.container import Container, EngineIdentity
from monitor.model.event import Event
from monitor.model.node import Node, NodeSpec
from monitor.model.service import Service
from monitor.model.task import Task
from monitor.model.usage import Reading


class Engine(Protocol):
    """Every method has a deadline of its own and raises `monitor.ports.errors.EngineError`.

    nodes, node, services, service, tasks, those that write to a service or node and those of
    configs and secrets raise `NotAManager` on workers.
    """

    async def ping(self) -> None:
        """Answers within 2 s or raises."""

    async def identity(self) -> EngineIdentity: ...

    async def nodes(self) -> Sequence[Node]: ...

    async def services(self) -> Sequence[Service]:
        """All services, each with its raw object, and task counts where the API has them."""

    async def service(self, service_id: str) -> Service:
        """One service by its whole id; raises NotFound also where only a prefix matches."""

    async def tasks(self, service_id: str | None = None) -> Sequence[Task]:
        """Tasks of one service, or of all, ended ones that the Swarm still keeps included."""

    async def update_service(self, service_id: str, version: int, spec: Mapping[str, Any]) -> None:
        """Replaces the whole spec if `version` is still the newest; raises Conflict if not.

        Unreachable, DeadlineExceeded and BadAnswer leave open whether it was applied.
        """

    async def roll_back_service(
        self, service_id: str, version: int, spec: Mapping[str, Any]
    ) -> None:
        """Puts the Swarm's own previous spec in the place of the present one, which `spec` is.

        Raises BadRequest where there is none, else as `update_service`.
        """

    async def node(self, node_id: str) -> NodeSpec:
        """One node by its whole id; raises NotFound also where only a name or prefix matches."""

    async def update_node(self, node_id: str, version: int, spec: Mapping[str, Any]) -> None:
        """Replaces the whole spec if `version` is still the newest; raises Conflict if not.

        Unreachable, DeadlineExceeded and BadAnswer leave open whether it was applied.
        """

    async def secret_ids(self) -> frozenset[str]:
        """Of all secrets of the Swarm."""

    async def config_ids(self) -> frozenset[str]:
        """Of all configs of the Swarm."""

    async def config(self, name: str) -> Config:
        """The Swarm config of exactly this name; raises NotFound where there is none."""

    async def create_config(self, name: str, labels: Mapping[str, str], data: bytes) -> None:
        """Raises Conflict where the name is taken."""

    async def update_config(self, config: Config, labels: Mapping[str, str]) -> None:
        """Puts these labels in place of all it has if `config.version` is still the newest.

        Raises Conflict if it is not. Unreachable, DeadlineExceeded and BadAnswer leave open
        whether it was applied.
        """

    async def containers(self) -> Sequence[Container]:
        """Running containers of tasks on this engine, inspected."""

    async def ended_containers(self) -> Sequence[Container]:
        """Containers of tasks on this engine that ended and were not removed yet, inspected; the
        newest 100 at most."""

    async def container(self, container_id: str) -> Container:
        """One container of a task, running or not."""

    async def logs(self, container: Container, lines: int) -> Sequence[str]:
        """The last lines that it wrote, the oldest first, each of at most 1 KiB and all of 8 KiB.

        Raises NotFound where it was removed, BadRequest where its log driver cannot be read.
        """

    async def stop_container(self, container_id: str, grace: int | None) -> None:
        """Sends the container its own stop signal, SIGKILL `grace` seconds later (None: after
        the container's own time); returns once it has stopped, at once if it had before.

        Unreachable, DeadlineExceeded and BadAnswer leave open whether it stops.
        """

    async def stats(self, container_id: str) -> Reading:
        """One reading from the stats API; raises NotFound where it does not run."""

    def events(self, since_ns: int | None) -> "AbstractAsyncContextManager[AsyncIterator[Event]]":
        """Opens one connection to `/events` from `since_ns` on (inclusive), unfiltered in scope.

        Entering raises EngineError if it cannot be opened; iterating raises EngineError when
        the stream breaks or ends. No reconnecting here: see `engine.stream`.
        """

    async def close(self) -> None: ...
