"""Reads numbers from Prometheus and from JSON over HTTP, for as long as they are asked for."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import NoReturn
from weakref import WeakValueDictionary

from monitor.model.scalar import JsonUrl, Number, PrometheusQuery
from monitor.ports.clock import Clock
from monitor.sources.entry import Entry
from monitor.sources.fault import SourceFault
from monitor.sources.fetch import Fetch
from monitor.sources.http_json import read_json
from monitor.sources.prometheus import read_prometheus
from monitor.sources.session import http_fetch
from monitor.sources.troubles import Troubles

FORGET_AFTER = 60.0
"""Seconds without being asked for after which a source is read no more."""

MAX_SOURCES = 1000
AT_ONCE = 8
"""Questions to one server at a time; one that hangs holds up no other."""

_SHORTEST = 0.5
_JITTER = 0.1


class Numbers:
    """A `monitor.ports.numbers.NumberReader`; each source is read by a task of its own.

    prometheus: the server for queries that name none. opened: what questions are asked with,
    open for as long as `run` lasts.
    A value is given out with its age until two intervals (and one timeout) have passed without
    a newer one; then comes the failure, and no number.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        prometheus: str | None = None,
        opened: Callable[[], AbstractAsyncContextManager[Fetch]] = http_fetch,
        max_sources: int = MAX_SOURCES,
    ) -> None:
        self._clock = clock
        self._prometheus = prometheus
        self._opened = opened
        self._max_sources = max_sources
        self._entries: dict[PrometheusQuery | JsonUrl, Entry] = {}
        self._places: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._troubles = Troubles()
        self._start: Callable[[Entry], object] | None = None

    @property
    def count(self) -> int:
        """How many sources are read."""
        return len(self._entries)

    def number(self, source: PrometheusQuery | JsonUrl, now: float) -> Number | None:
        """See the port. Names in the source are substituted already."""
        entry = self._entries.get(source)
        if entry is not None:
            entry.asked_at = now
            return entry.number(now)
        if len(self._entries) >= self._max_sources:
            text = (
                f"more than {self._max_sources} different queries and URLs would be read: "
                "ask for fewer, or for several services in one"
            )
            return Number(None, 0.0, text)
        entry = Entry(source, since=now, asked_at=now)
        self._entries[source] = entry
        if self._start is not None:
            self._start(entry)
        return None

    async def run(self) -> NoReturn:
        """Read until cancelled; sources that were asked for before are read first."""
        async with self._opened() as fetch:
            try:
                async with asyncio.TaskGroup() as group:
                    self._start = lambda entry: group.create_task(
                        self._keep_reading(entry, fetch), name="source"
                    )
                    for entry in list(self._entries.values()):
                        self._start(entry)
                    await asyncio.Event().wait()
            finally:
                self._start = None
        raise AssertionError("waits until it is cancelled")

    async def _keep_reading(self, entry: Entry, fetch: Fetch) -> None:
        place = self._place(entry.source)
        try:
            while self._wanted(entry):
                began = self._clock.now().mono
                async with place:
                    await self._read(entry, fetch)
                spread = 1 + _JITTER * (self._clock.random() - 0.5)
                await self._pause(entry, began + max(entry.source.interval, _SHORTEST) * spread)
        finally:
            self._entries.pop(entry.source, None)
            self._troubles.forget(entry.source)

    def _wanted(self, entry: Entry) -> bool:
        return self._clock.now().mono - entry.asked_at < FORGET_AFTER

    async def _pause(self, entry: Entry, until: float) -> None:
        """Also ends where nobody asks for it any more, however long its interval."""
        while self._wanted(entry) and (now := self._clock.now().mono) < until:  # noqa: ASYNC110
            await asyncio.sleep(min(until, entry.asked_at + FORGET_AFTER) - now)

    async def _read(self, entry: Entry, fetch: Fetch) -> None:
        source = entry.source
        try:
            if isinstance(source, PrometheusQuery):
                value = await read_prometheus(source, self._prometheus, fetch)
            else:
                value = await read_json(source, fetch)
        except SourceFault as fault:
            self._failed(entry, fault)
        except Exception as error:  # noqa: BLE001  # one odd answer must not end the agent
            self._failed(entry, SourceFault(f"it cannot be read: {type(error).__name__}"))
        else:
            entry.succeed(value, self._clock.now().mono)
            self._troubles.worked(source)

    def _failed(self, entry: Entry, fault: SourceFault) -> None:
        """A failure between two good readings is nobody's business."""
        now = self._clock.now().mono
        again = bool(entry.problem) or entry.value is None
        entry.fail(str(fault), now)
        if again:
            self._troubles.failed(entry.source, fault)

    def _place(self, source: PrometheusQuery | JsonUrl) -> asyncio.Semaphore:
        """The places of the source's server; held by its readers alone."""
        url = (
            source.url if isinstance(source, JsonUrl) else source.address or self._prometheus or ""
        )
        scheme, _, rest = url.partition("://")
        server = f"{scheme}://{rest.partition('/')[0]}"
        place = self._places.get(server)
        if place is None:
            place = self._places[server] = asyncio.Semaphore(AT_ONCE)
        return place
