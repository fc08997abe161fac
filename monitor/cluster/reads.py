"""Asking the Engine: the full list, and single services, a few at once."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from monitor.model.node import Node
from monitor.model.service import Service
from monitor.model.task import Task
from monitor.ports.asking import side_by_side
from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.ports.errors import EngineError, NotFound

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class FullList:
    """`sent`: monotonic time at which it was asked for."""

    nodes: Sequence[Node]
    services: Sequence[Service]
    tasks: Sequence[Task]
    sent: float


@dataclass(frozen=True, slots=True)
class ServiceRead:
    """`gone`: there is no such service. `service` None: only its tasks were asked for."""

    service_id: str
    sent: float
    service: Service | None = None
    tasks: Sequence[Task] = ()
    gone: bool = False


async def read_all(engine: Engine, clock: Clock) -> FullList:
    """Nodes, services and tasks at once; raises the first EngineError."""
    sent = clock.now().mono
    async with side_by_side() as group:
        nodes = group.ask(engine.nodes)
        services = group.ask(engine.services)
        tasks = group.ask(engine.tasks)
    return FullList(nodes.result(), services.result(), tasks.result(), sent)


async def read_some(
    engine: Engine,
    clock: Clock,
    wanted: Mapping[str, bool],
    sending: Callable[[str], None],
    taken: Callable[[ServiceRead], None],
) -> None:
    """Read services, at most 8 at once; `wanted` says by id whether to read more than tasks.

    `sending(id)` is called right before a read, `taken(read)` with its answer. Raises the first
    EngineError once the reads under way have come to their end; then no further one begins.
    """
    left = iter(wanted.items())
    faults: list[EngineError] = []

    async def work() -> None:
        for service_id, whole in left:
            sending(service_id)
            try:
                taken(await _read(engine, clock, service_id, whole=whole))
            except EngineError as fault:
                faults.append(fault)
            if faults:
                return

    async with asyncio.TaskGroup() as group:
        for _ in range(min(_AT_ONCE, len(wanted))):
            group.create_task(work())
    if faults:
        raise faults[0]


async def _read(engine: Engine, clock: Clock, service_id: str, *, whole: bool) -> ServiceRead:
    sent = clock.now().mono
    try:
        async with side_by_side() as group:
            tasks = group.ask(engine.tasks, service_id)
            service = group.ask(engine.service, service_id) if whole else None
    except NotFound:
        return ServiceRead(service_id, sent, gone=True)
    return ServiceRead(service_id, sent, service.result() if service else None, tasks.result())
