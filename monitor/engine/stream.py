"""The event stream that survives everything."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import structlog

from monitor.engine.dedupe import Seen
from monitor.engine.parse_event import UNREADABLE
from monitor.engine.stream_stats import StreamStats, counted_as
from monitor.model.event import Event
from monitor.ports.backoff import Backoff
from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.ports.errors import EngineError

_OVERLAP_NS = 1_000_000_000
_LASTING = 10.0  # seconds after which a connection counts as a good one
_BUSY = 1.0  # the same for one that delivered something new
_SAY_EVERY = 10.0  # seconds between two lines on a stream that breaks off as soon as it is open

_log = structlog.get_logger("monitor.engine.stream")


class EventStream:
    """Calls `on_event` for each new event and `on_resync(why)` whenever some may be missing.

    Events are hints: the daemon skips slow readers, keeps 256 of them, forgets them when it
    restarts, and stamps the Swarm's with times of the object. So each connection begins with
    `on_resync`, called before its first event: lists read after it miss nothing that the stream
    does not tell. Both callbacks are synchronous and nothing queues in between.

    Times are the engine's own; this machine's wall clock plays no part.

    on_lost: called when a stream ends that was open for a while: often the first sign that the
    engine is gone.
    engine_up: whether the engine answers else; while it does not, whoever asks it says so, and
    a failure to connect is no news.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        on_event: Callable[[Event], None],
        on_resync: Callable[[str], None],
        *,
        backoff: Backoff | None = None,
        on_lost: Callable[[], None] | None = None,
        engine_up: Callable[[], bool] | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._on_event = on_event
        self._on_resync = on_resync
        self._backoff = backoff or Backoff(clock)
        self._on_lost = on_lost
        self._engine_up = engine_up
        self._said_lost = False
        self._said_at = float("-inf")
        self._seen = Seen()
        self._newest: dict[str, int] = {}  # by scope: they are stamped by different clocks
        self._connected_since: float | None = None
        self._lost_at: float | None = None
        self._wakes: asyncio.Timeout | None = None
        self._events: Counter[tuple[str, str]] = Counter()
        self._reconnects: Counter[str] = Counter()
        self._duplicates = self._resyncs = self._unreadable = 0

    @property
    def connected(self) -> bool:
        return self._connected_since is not None

    @property
    def stats(self) -> StreamStats:
        return StreamStats(
            connected=self.connected,
            connected_since=self._connected_since,
            events=dict(self._events),
            duplicates=self._duplicates,
            reconnects=dict(self._reconnects),
            last_event_ns=max(self._newest.values(), default=0),
            resyncs=self._resyncs,
            unreadable=self._unreadable,
        )

    def reconnect(self, silent_since: float | None = None) -> None:
        """Gives the present connection or pause up and connects anew at once.

        For whoever learns that the engine was silent though the connection shows nothing of it.
        `silent_since` is monotonic: a connection made after it is a good one and is kept.
        """
        if silent_since is not None and (self._connected_since or 0.0) > silent_since:
            return
        self._backoff.reset()
        if self._wakes is not None and not self._wakes.expired():
            with suppress(RuntimeError):  # raised between two rounds, when it is connecting anyway
                self._wakes.reschedule(asyncio.get_running_loop().time())

    async def run(self) -> NoReturn:
        """Until cancelled. A callback's own exception is not caught."""
        while True:
            wakes = self._wakes = asyncio.timeout(None)
            try:
                async with wakes:
                    await self._connection()
                    await asyncio.sleep(self._backoff.pause())
            except TimeoutError:
                if not wakes.expired():
                    raise
                self._lost("asked", "asked to connect anew")

    async def _connection(self) -> None:
        """One connection from opening to its fault."""
        try:
            async with self._engine.events(self._since()) as events:
                self._found()
                async for event in events:
                    self._take(event)
            self._lost("unreachable", "the engine ended the event stream")
        except EngineError as error:
            self._lost(error.reason, str(error))

    def _since(self) -> int | None:
        # Of two scopes the older one: too much is dropped as seen, too little is lost. Before
        # the first event there is nothing to resume, and the lists say all.
        if not self._newest:
            return None
        return max(0, min(self._newest.values()) - _OVERLAP_NS)

    def _found(self) -> None:
        now = self._clock.now().mono
        self._connected_since = now
        if self._lost_at is None:
            _log.info("event stream connected")
        elif self._said_lost or self._may_say(now):
            _log.info("event stream back", away_seconds=round(now - self._lost_at, 3))
        self._lost_at, self._said_lost = None, False
        self._resync("the event stream was connected")

    def _take(self, event: Event) -> None:
        if event is UNREADABLE:
            self._unreadable += 1
            self._resync("an event could not be read")
            return
        if not self._seen.add(event):
            self._duplicates += 1
            return
        self._newest[event.scope] = max(self._newest.get(event.scope, 0), event.time_ns)
        self._events[counted_as(event)] += 1
        if self._lived() > _BUSY:
            self._backoff.reset()
        self._on_event(event)

    def _lost(self, reason: str, why: str) -> None:
        self._reconnects[reason] += 1
        if self._lived() > _LASTING:
            self._backoff.reset()
        now = self._clock.now().mono
        if self._lost_at is None:
            self._lost_at = now
        was_good = self._lived() > _BUSY
        engine_up = self._engine_up is None or self._engine_up()
        if not self._said_lost and engine_up and (was_good or self._may_say(now)):
            self._said_lost, self._said_at = True, now
            _log.warning("event stream lost", reason=reason, why=why)
        self._connected_since = None
        if was_good and self._on_lost is not None:
            self._on_lost()

    def _may_say(self, now: float) -> bool:
        return now - self._said_at >= _SAY_EVERY

    def _lived(self) -> float:
        if self._connected_since is None:
            return 0.0
        return self._clock.now().mono - self._connected_since

    def _resync(self, why: str) -> None:
        self._resyncs += 1
        self._on_resync(why)
