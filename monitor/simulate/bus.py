"""One simulated daemon's event stream: the replay buffer, and all that can go wrong with it."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from monitor.model.event import Event
from monitor.ports.errors import EngineError, Unreachable

REPLAYED = 256  # the daemon's `eventsLimit`, shared by all types
BUFFERED = 1024  # a subscriber further behind than this is skipped in silence


@dataclass(slots=True)
class EventFaults:
    """Shares in [0, 1] of events that never come, come twice, or come after the next one.

    `drop_if` drops by a look at the event. The replay buffer keeps what was dropped here: it
    is the live stream that loses events. `silent`: connections stay open and nothing comes.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    silent: bool = False
    drop_if: Callable[[Event], bool] | None = None


@dataclass(slots=True)
class _Subscriber:
    pending: deque[Event] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    broken: EngineError | None = None


class EventBus:
    """`seed` is that of the faults alone."""

    def __init__(self, seed: int = 0) -> None:
        self.faults = EventFaults()
        self.published = 0
        self.connections = 0
        self._replay: deque[Event] = deque(maxlen=REPLAYED)
        self._subscribers: list[_Subscriber] = []
        self._held: Event | None = None
        self._random = random.Random(seed)  # noqa: S311  (reproducible, not secret)
        self.thawed = asyncio.Event()  # clear while the daemon is frozen: it sends nothing
        self.thawed.set()

    def publish(self, event: Event) -> None:
        self.published += 1
        self._replay.append(event)
        faults = self.faults
        if faults.silent or (faults.drop_if and faults.drop_if(event)):
            return
        if faults.drop and self._random.random() < faults.drop:
            return
        if faults.reorder and self._held is None and self._random.random() < faults.reorder:
            self._held = event
            return
        self._send(event)
        if faults.duplicate and self._random.random() < faults.duplicate:
            self._send(event)
        if self._held is not None:
            held, self._held = self._held, None
            self._send(held)

    def _send(self, event: Event) -> None:
        for subscriber in self._subscribers:
            if len(subscriber.pending) < BUFFERED:
                subscriber.pending.append(event)
                subscriber.wake.set()

    def cut(self, error: EngineError | None = None) -> None:
        """Break every open stream; what was sent before still arrives first."""
        for subscriber in self._subscribers:
            subscriber.broken = error or Unreachable("the event stream was cut")
            subscriber.wake.set()

    def forget(self) -> None:
        """Empty the replay buffer, as a restarted daemon has it."""
        self._replay.clear()

    def replay(self, since_ns: int | None) -> list[Event]:
        """Buffered events from `since_ns` on, as the daemon finds them.

        The scan runs backwards and stops at the first older stamp, so that events out of
        order may be missed.
        """
        found: list[Event] = []
        if since_ns is None:
            return found
        for event in reversed(self._replay):
            if event.time_ns < since_ns:
                break
            found.append(event)
        found.reverse()
        return found

    @asynccontextmanager
    async def subscribe(self, since_ns: int | None) -> AsyncIterator[AsyncIterator[Event]]:
        subscriber = _Subscriber(deque(self.replay(since_ns)))
        self._subscribers.append(subscriber)
        self.connections += 1
        try:
            yield self._read(subscriber)
        finally:
            self._subscribers.remove(subscriber)

    async def _read(self, subscriber: _Subscriber) -> AsyncIterator[Event]:
        while True:
            while subscriber.pending:
                await self.thawed.wait()
                yield subscriber.pending.popleft()
            if subscriber.broken is not None:
                raise subscriber.broken
            subscriber.wake.clear()
            await subscriber.wake.wait()
