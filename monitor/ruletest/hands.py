"""The agents of a test's nodes, as far as rules need them: each stops the tasks of its node."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from monitor.act.stop_desk import StopDesk
from monitor.model.peer import Command, CommandResult
from monitor.ports.clock import Clock
from monitor.simulate.swarm import Swarm


class HandsOfNodes:
    """One for each node that is ever told something."""

    def __init__(self, swarm: Swarm, clock: Clock) -> None:
        self._swarm = swarm
        self._clock = clock
        self._desks: dict[str, StopDesk] = {}
        self._opened = AsyncExitStack()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with self._opened:
            yield

    async def send(self, node_id: str, command: Command) -> CommandResult:
        """To the node that a manager's agent has chosen."""
        desk = self._desks.get(node_id)
        if desk is None:
            desk = self._desks[node_id] = StopDesk(
                self._swarm.engine(node_id),
                self._clock,
                node_id=lambda: node_id,
                own_service_id=lambda: None,
            )
            await self._opened.enter_async_context(desk.open())
        return await desk.carry_out(command)
