"""The node's side of log lines: reads the end of one ended task's log."""

from collections import deque

from monitor.model.logs import LogOrder
from monitor.model.peer import Command, CommandResult
from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.ports.errors import EngineError, NotFound

MOST_A_MINUTE = 60
"""Logs that are read: a service that crashes all the time does not keep its engines busy."""


class LogDesk:
    """Reads logs of this node's tasks alone, and only of such as have ended."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._read_at: deque[float] = deque(maxlen=MOST_A_MINUTE)

    async def carry_out(self, command: Command) -> CommandResult:
        """Never raises but when it is cancelled."""
        try:
            order = LogOrder.read(command.arguments)
        except ValueError as error:
            return _no(command, f"The command makes no sense: {error}.")
        now = self._clock.now().mono
        if len(self._read_at) == MOST_A_MINUTE and now - self._read_at[0] < 60.0:
            return _no(command, f"Its node has read {MOST_A_MINUTE} logs in a minute; ask again.")
        self._read_at.append(now)
        try:
            container = await self._engine.container(order.container_id)
            if (container.task_id, container.service_id) != (order.task_id, order.service_id):
                return _no(command, "The labels of the container are not those of the task.")
            if container.running:
                return _no(command, "Its container runs (again); this is about ended ones.")
            lines = await self._engine.logs(container, order.lines)
        except NotFound:
            return _no(command, "Its container was removed, and its log with it.")
        except EngineError as error:
            return _no(command, f"Its engine gives no log: {error}")
        return CommandResult(command.id, done=True, lines=tuple(lines))


def _no(command: Command, why: str) -> CommandResult:
    return CommandResult(command.id, done=False, detail=why)
