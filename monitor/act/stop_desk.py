"""The node's side of stopping one task: proves that the container is that task's, and stops it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from monitor.act.task_guards import check_restarts, check_task, order_for
from monitor.model.container import Container
from monitor.model.peer import Command, CommandResult
from monitor.model.stop_task import STOP_TASK, StopOrder
from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.ports.errors import (
    BadAnswer,
    DeadlineExceeded,
    EngineError,
    NotAManager,
    NotFound,
    Unreachable,
)

ANSWER_AFTER = 3.0
"""Seconds after which the sender is told that the container is stopping; a grace period may be
hours, and nobody waits for it."""

_AMBIGUOUS = (Unreachable, DeadlineExceeded, BadAnswer)


class _Refused(Exception):
    """Nothing was stopped; `str()` says why."""


class StopDesk:
    """Carries out `stop_task` commands; each container can be stopped by one only once.

    It relies on nothing that the sender says but on what this node's engine tells: labels that
    only Swarm gives a task's container name the task, service and node of the command, it runs
    under the id of the command, and no other container claims to be that task. On a manager the
    service and its tasks are read and checked here again.

    node_id: of this node, "" while unknown. own_service_id, own_container_id: of this program,
    None where it is in no container.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        *,
        node_id: Callable[[], str],
        own_service_id: Callable[[], str | None],
        own_container_id: str | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._node_id = node_id
        self._own_service_id = own_service_id
        self._own_container_id = own_container_id
        self._highest_term = 0
        self._stopping: dict[str, asyncio.Task[None]] = {}
        self._log = structlog.get_logger("monitor.act")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Stops that are under way when the block ends are left to the engine."""
        try:
            yield
        finally:
            stopping = list(self._stopping.values())
            for task in stopping:
                task.cancel()
            if stopping:
                await asyncio.wait(stopping)

    async def carry_out(self, command: Command) -> CommandResult:
        """Never raises but when it is cancelled."""
        arrived = self._clock.now().mono
        try:
            order = self._read(command)
            await self._prove(order)
            self._still(order, arrived + command.expires_in)
            detail = await self._stop(order)
        except _Refused as refused:
            self._log.warning(f"a task was not stopped. {refused}", command=command.id)
            return CommandResult(command.id, done=False, detail=str(refused))
        except _AMBIGUOUS as error:
            return CommandResult(command.id, done=False, detail=str(error), known=False)
        except EngineError as error:
            return CommandResult(command.id, done=False, detail=str(error))
        self._log.info(f"task {order.task_id} was stopped: {detail}", command=command.id)
        return CommandResult(command.id, done=True, detail=detail)

    def _read(self, command: Command) -> StopOrder:
        if command.kind != STOP_TASK:
            raise _Refused(f"This agent does not carry out {command.kind!r} commands.")
        try:
            order = StopOrder.read(command.arguments)
        except ValueError as error:
            raise _Refused(f"The command makes no sense: {error}.") from None
        if not self._node_id() or order.node_id != self._node_id():
            raise _Refused("The command is for another node.")
        if command.term < self._highest_term:
            raise _Refused("Another agent acts since this was decided.")
        self._highest_term = command.term
        own = self._own_service_id()
        if order.service_id == own or order.container_id == self._own_container_id:
            raise _Refused("That is a task of this very program.")
        return order

    async def _prove(self, order: StopOrder) -> None:
        try:
            containers = await self._engine.containers()
            await self._prove_by_manager(order)
        except EngineError as error:
            raise _Refused(f"Nothing was stopped, since reading failed: {error}") from None
        claiming = [one for one in containers if one.task_id == order.task_id]
        if [one.id for one in claiming] != [order.container_id]:
            found = ", ".join(one.id[:12] for one in claiming) or "none"
            raise _Refused(
                f"Task {order.task_id} should run as container {order.container_id[:12]}; running "
                f"here for it: {found}."
            )
        if not _is_of(claiming[0], order):
            raise _Refused(
                f"The labels of container {order.container_id[:12]} do not prove that it is task "
                f"{order.task_id} of service {order.service_id} on this node."
            )

    async def _prove_by_manager(self, order: StopOrder) -> None:
        """Where this node is a manager: by what the Swarm itself says."""
        try:
            service = await self._engine.service(order.service_id)
            tasks = await self._engine.tasks(order.service_id)
        except NotAManager:
            return
        except NotFound:
            raise _Refused(f"There is no service {order.service_id}.") from None
        why_not = check_restarts(service, self._own_service_id())
        if why_not:
            raise _Refused(f"It must not be stopped: {why_not}.")
        task = check_task(service, tasks, order.task_id)
        if isinstance(task, str):
            raise _Refused(f"It must not be stopped: {task}.")
        if order_for(service, task) != order:
            raise _Refused("The command does not say of the task what this manager says of it.")

    def _still(self, order: StopOrder, expires_at: float) -> None:
        """The last check, after the last await."""
        if self._clock.now().mono >= expires_at:
            raise _Refused("It expired while it was checked.")
        if order.container_id in self._stopping:
            raise _Refused("That container is being stopped.")

    async def _stop(self, order: StopOrder) -> str:
        """One sentence once it has stopped, or was told to and takes its time."""
        stopping = asyncio.create_task(
            self._engine.stop_container(order.container_id, order.grace),
            name=f"stop {order.task_id}",
        )
        self._stopping[order.container_id] = stopping
        stopping.add_done_callback(lambda _: self._ended(order, stopping))
        done, _ = await asyncio.wait({stopping}, timeout=ANSWER_AFTER)
        if done:
            stopping.result()
            return "its container has stopped"
        grace = "its own time" if order.grace is None else f"{order.grace} s"
        return f"its container was told to stop and has {grace} for it"

    def _ended(self, order: StopOrder, stopping: asyncio.Task[None]) -> None:
        self._stopping.pop(order.container_id, None)
        if not stopping.cancelled() and (error := stopping.exception()) is not None:
            self._log.warning(f"stopping task {order.task_id} did not end well: {error}")


def _is_of(container: Container, order: StopOrder) -> bool:
    labels = container.labels
    return (
        container.running
        and labels.get("com.docker.swarm.task") == ""
        and labels.get("com.docker.swarm.task.id") == order.task_id
        and labels.get("com.docker.swarm.service.id") == order.service_id
        and labels.get("com.docker.swarm.node.id") == order.node_id
        and labels.get("com.docker.swarm.task.name", "").endswith(f".{order.task_id}")
    )
