"""Following which containers of tasks run on this engine."""

import asyncio
import contextlib
from collections.abc import Callable

from monitor.model.container import Container, Health
from monitor.model.event import Event
from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.ports.errors import EngineError, NotFound
from monitor.usage.tracks import Tracks

_AT_ONCE = 8
_FIRST_RETRY = 0.5
_LAST_RETRY = 30.0


class Roster:
    """Keeps `tracks` true: events are hints, an inspection or a list is the truth.

    A list is read at the start, when `resync` is called, and every `relist_interval` seconds,
    which repairs what no event told. What events tell while an answer is on its way counts more
    than that answer: such a container is inspected again.

    lists: lists read. repaired: containers that a periodic list had to correct. success:
    whether the newest question to the Engine was answered. problem: why not, else "".
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        tracks: Tracks,
        on_adopted: Callable[[], None],
        relist_interval: float,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._tracks = tracks
        self._on_adopted = on_adopted
        self._relist_interval = relist_interval
        self._wake = asyncio.Event()
        self._pending: dict[str, None] = {}  # to inspect, in order; a dict keeps it
        self._asked: tuple[str, ...] = ()  # being inspected now
        self._listing = False
        self._touched: set[str] = set()  # told of by events while a list was on its way
        self._list_at = 0.0
        self._retry = _FIRST_RETRY
        self._expect_drift = True
        self.lists = 0
        self.repaired = 0
        self.success = True
        self.problem = ""

    def resync(self) -> None:
        """Events may have been lost: read the list as soon as possible."""
        self._expect_drift = True
        self._list_at = 0.0
        self._wake.set()

    def hint(self, event: Event) -> None:
        """Take an Engine event in; those that tell nothing about a task's container do nothing."""
        if event.type != "container" or not event.task_id:
            return
        action, _, detail = event.action.partition(":")
        match action.strip():
            case "start" | "update":
                self._inspect_soon(event.actor_id)
            case "die" | "destroy":
                self._tracks.end(event.actor_id)
                self._pending.pop(event.actor_id, None)
                self._outdate_answers(event.actor_id)
            case "health_status":
                self._set_health(event.actor_id, detail.strip())
            case "oom":
                self._tracks.count_oom(event.task_id)

    async def run(self) -> None:
        """Follow until cancelled. Faults of the Engine are waited out with back-off."""
        while True:
            self._wake.clear()
            wait = self._list_at - self._clock.now().mono
            if wait <= 0:
                await self._list()
            elif self._pending:
                await self._inspect()
            else:
                with contextlib.suppress(TimeoutError):  # then it is time for the next list
                    async with asyncio.timeout(wait):
                        await self._wake.wait()

    def _inspect_soon(self, container_id: str) -> None:
        self._pending[container_id] = None
        if self._listing:
            self._touched.add(container_id)
        self._wake.set()

    def _outdate_answers(self, container_id: str) -> None:
        """An answer on its way may be older than the event."""
        if self._listing:
            self._touched.add(container_id)
        if container_id in self._asked:
            self._inspect_soon(container_id)

    def _set_health(self, container_id: str, word: str) -> None:
        try:
            health = Health(word)
        except ValueError:
            self._inspect_soon(container_id)
            return
        self._tracks.set_health(container_id, health)
        self._outdate_answers(container_id)

    async def _list(self) -> None:
        self._listing = True
        self._touched = set(self._pending)
        surprise = not self._expect_drift
        self._expect_drift = False
        self._list_at = self._clock.now().mono + self._relist_interval  # unless `resync` is called
        try:
            containers = await self._engine.containers()
        except EngineError as error:
            self._expect_drift = True
            self._failed(error)
            return
        finally:
            self._listing = False
        corrected = self._tracks.adopt_all(containers, self._touched)
        self.lists += 1
        self.repaired += corrected if surprise else 0
        self._worked()

    async def _inspect(self) -> None:
        self._asked = tuple(self._pending)[:_AT_ONCE]
        for container_id in self._asked:
            del self._pending[container_id]
        try:
            async with asyncio.TaskGroup() as group:
                for container_id in self._asked:
                    group.create_task(self._inspect_one(container_id))
        finally:
            self._asked = ()

    async def _inspect_one(self, container_id: str) -> None:
        try:
            container: Container = await self._engine.container(container_id)
        except NotFound:
            self._tracks.end(container_id)
        except EngineError as error:
            self._expect_drift = True
            self._failed(error)  # the list that follows brings it
        else:
            if container_id not in self._pending:
                self._tracks.adopt(container)
            self._worked()

    def _worked(self) -> None:
        self._retry = _FIRST_RETRY
        self.success = True
        self.problem = ""
        self._on_adopted()

    def _failed(self, error: EngineError) -> None:
        self.success = False
        self.problem = str(error)
        jitter = 0.5 + 0.5 * self._clock.random()
        self._list_at = self._clock.now().mono + self._retry * jitter
        self._retry = min(self._retry * 2, _LAST_RETRY)
