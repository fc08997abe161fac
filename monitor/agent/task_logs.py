"""The last log lines of ended tasks, of services that ask for them; on the acting agent."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from monitor.model.cause import TaskEnd
from monitor.model.event import Event
from monitor.model.logs import READ_LOGS, LogOrder, TaskLog, lines_wanted
from monitor.model.peer import Command
from monitor.model.service import Service
from monitor.ports.clock import Clock
from monitor.ports.node_hands import NodeHands

KEPT = 500
"""Logs in memory, of at most 8 KiB each: the newest."""

WAITING = 100
"""Ends whose log is still to be read; of more than those it is read when somebody asks."""

AT_ONCE = 4
MAY_TAKE = 5.0
"""Seconds for one log, from its node's agent."""


class TaskLogs:
    """Read right when a container ends, since Swarm removes some at once; else when asked for.

    services: those that are there, by id. acting: whether this agent acts, so that one of the
    managers' agents reads and not all of them.
    """

    def __init__(
        self,
        hands: NodeHands,
        clock: Clock,
        services: Callable[[], Mapping[str, Service]],
        term: Callable[[], int | None],
    ) -> None:
        self._hands = hands
        self._clock = clock
        self._services = services
        self._term = term
        self._kept: dict[str, TaskLog] = {}
        self._waiting: deque[tuple[str, LogOrder]] = deque(maxlen=WAITING)
        self._due = asyncio.Event()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._asked = 0

    def heard(self, event: Event) -> None:
        """An event of any engine."""
        if event.type != "container" or event.action != "die" or self._term() is None:
            return
        node_id = event.attributes.get("com.docker.swarm.node.id", "")
        order = self._order(event.task_id, event.service_id, event.actor_id)
        if node_id and isinstance(order, LogOrder) and order.task_id not in self._kept:
            self._waiting.append((node_id, order))
            self._due.set()

    async def run(self) -> None:
        """Reads what `heard` found worth it, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE // 2):  # the others are for people who ask
                group.create_task(self._read_waiting())

    async def of(self, ends: Iterable[TaskEnd]) -> Mapping[str, TaskLog]:
        """By task id, of all given that have ended. Takes some seconds at most, never raises."""
        found: dict[str, TaskLog] = {}
        async with asyncio.TaskGroup() as group:
            asked = {
                end.task_id: group.create_task(self._of(end))
                for end in ends
                if end.state.ended or end.cause is not None
            }
        for task_id, task in asked.items():
            found[task_id] = task.result()
        return found

    async def _of(self, end: TaskEnd) -> TaskLog:
        kept = self._kept.get(end.task_id)
        if kept is not None:
            return kept
        if not end.container_id:
            return TaskLog(why="it never had a container")
        order = self._order(end.task_id, end.service_id, end.container_id)
        if isinstance(order, str):
            return TaskLog(why=order)
        return await self._read(end.node_id, order)

    def _order(self, task_id: str, service_id: str, container_id: str) -> LogOrder | str:
        service = self._services().get(service_id)
        if service is None:
            return "its service is gone, and with it whether its log may be shown"
        wanted = lines_wanted(service.labels)
        if isinstance(wanted, str):
            return wanted
        return LogOrder(task_id, service_id, container_id, wanted)

    async def _read_waiting(self) -> None:
        while True:
            await self._due.wait()
            if not self._waiting:
                self._due.clear()
                continue
            node_id, order = self._waiting.popleft()
            await self._read(node_id, order)

    async def _read(self, node_id: str, order: LogOrder) -> TaskLog:
        self._asked += 1
        now = self._clock.now()
        seed = f"{READ_LOGS}/{order.container_id}/{self._asked}/{now.wall}/{self._clock.random()}"
        command = Command(
            id=hashlib.sha256(seed.encode()).hexdigest()[:32],
            kind=READ_LOGS,
            term=self._term() or 0,
            expires_in=MAY_TAKE,
            arguments=order.as_arguments(),
        )
        try:
            async with self._slots, asyncio.timeout(MAY_TAKE):
                result = await self._hands.command(node_id, command)
        except TimeoutError:
            return TaskLog(why=f"its node's agent did not answer within {MAY_TAKE:.0f} s")
        if not result.done:
            return TaskLog(why=_clause(result.detail))
        log = self._kept[order.task_id] = TaskLog(result.lines)
        if len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return log


def _clause(sentence: str) -> str:
    """As the other reasons: a small letter first, no full stop."""
    return sentence[:1].lower() + sentence[1:].rstrip(".")
