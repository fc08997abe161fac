"""The event stream against every way in which a stream can end or lie."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from monitor.engine.client import DockerEngine
from monitor.engine.stream import EventStream
from monitor.model.event import Event
from monitor.ports.backoff import Backoff
from tests.unit.engine.wire import (
    LoopClock,
    Request,
    WireEngine,
    answer,
    event,
    hang,
    raw,
    stream,
    until,
    wire_engine,
)

SECOND = 1_000_000_000
T0 = 1_795_425_510 * SECOND


class Told:
    """What the stream told, in order: events' actors, and "resync"."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.reasons: list[str] = []

    def event(self, event: Event) -> None:
        self.log.append(event.actor_id)

    def resync(self, why: str) -> None:
        self.log.append("resync")
        self.reasons.append(why)

    @property
    def actors(self) -> list[str]:
        return [entry for entry in self.log if entry != "resync"]


@asynccontextmanager
async def streaming(
    wire: WireEngine, **options: Callable[[], Any]
) -> AsyncIterator[tuple[EventStream, Told]]:
    """A running stream from the wire, that pauses for milliseconds."""
    told = Told()
    clock = LoopClock()
    async with DockerEngine(wire.url) as engine:
        events = EventStream(
            engine, clock, told.event, told.resync, backoff=Backoff(clock, 0.01, 0.02), **options
        )
        task = asyncio.create_task(events.run())
        try:
            yield events, told
        finally:
            if not task.done():
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("end", ["clean", "cut", "reset"])
async def test_a_stream_that_ends_comes_back(end: str) -> None:
    """However a stream ends: connected anew with overlap, told to re-list, nothing twice."""
    one, two, three = (event(T0 + n * SECOND, actor=f"c{n}") for n in (1, 2, 3))
    async with wire_engine(tcp=end == "reset") as wire:
        wire.answers["/events"] = [stream(one, two, end=end), stream(two, three)]
        async with streaming(wire) as (events, told):
            await until(lambda: told.actors == ["c1", "c2", "c3"], "all three events")
            assert told.log == ["resync", "c1", "c2", "resync", "c3"]
            assert events.stats.duplicates == 1
            assert sum(events.stats.reconnects.values()) == 1
            assert events.connected
        first, second = (request.query for request in wire.asked("/events"))
        assert "since" not in first
        assert second["since"] == f"{T0 // SECOND + 1}.000000000"  # the newest less a second


async def test_a_stream_cut_within_an_event_comes_back() -> None:
    """Half an event at the end is dropped, and the whole one of the replay is taken."""
    one, two = event(T0, actor="c1"), event(T0 + 5, actor="c2")
    async with wire_engine() as wire:
        wire.answers["/events"] = [stream(one, two[:20], end="cut"), stream(one, two)]
        async with streaming(wire) as (_, told):
            await until(lambda: told.actors == ["c1", "c2"], "both events")
            assert told.log == ["resync", "c1", "resync", "c2"]


async def test_a_silent_stream_is_given_up_when_asked() -> None:
    """A half-open connection shows nothing: the one who learnt of the silence says so."""
    async with wire_engine() as wire:
        wire.answers["/events"] = [stream(event(T0, actor="c1")), stream(event(T0 + 1, actor="c2"))]
        async with streaming(wire) as (events, told):
            await until(lambda: told.actors == ["c1"], "the first event")
            connected_since = events.stats.connected_since
            assert connected_since is not None
            events.reconnect(silent_since=connected_since - 1)  # made after the silence: kept
            await asyncio.sleep(0.05)
            assert told.actors == ["c1"]
            events.reconnect(silent_since=connected_since + 1)
            await until(lambda: told.actors == ["c1", "c2"], "the second event")
            assert events.stats.reconnects == {"asked": 1}
            await until(lambda: wire.open_connections <= 2, "the old connection to be closed")


@pytest.mark.parametrize(
    "opening",
    [
        answer({"message": "boom"}, status=500),
        answer({"message": "no"}, status=403),
        raw(b"", then_hang_up=True),
        raw(b"rubbish\r\n\r\n", then_hang_up=True),
        answer(b"<html>", status=503),
    ],
)
async def test_a_refused_stream_is_asked_for_again(
    opening: Callable[[Request, asyncio.StreamWriter], Awaitable[None]],
) -> None:
    """Faults at opening are tried again; no re-list is asked for before the stream stands."""
    async with wire_engine() as wire:
        wire.answers["/events"] = [opening, opening, stream(event(T0, actor="c1"))]
        async with streaming(wire) as (events, told):
            await until(lambda: told.actors == ["c1"], "the event")
            assert told.log == ["resync", "c1"]
            assert sum(events.stats.reconnects.values()) >= 1


async def test_an_unreadable_line_asks_for_a_relist_and_goes_on() -> None:
    """What cannot be read may have been anything: re-list, and no reconnect that meets it again."""
    lines = event(T0, actor="c1") + b'{"Type": \n' + b"[1]\n" + event(T0 + 1, actor="c2")
    async with wire_engine() as wire:
        wire.answers["/events"] = [stream(lines)]
        async with streaming(wire) as (events, told):
            await until(lambda: told.actors == ["c1", "c2"], "both events")
            assert told.log == ["resync", "c1", "resync", "resync", "c2"]
            assert events.stats.unreadable == 2
            assert events.stats.reconnects == {}


async def test_an_endless_line_is_given_up() -> None:
    """A line above 1 MiB ends the connection instead of filling the memory."""
    async with wire_engine() as wire:
        endless = stream(*[b"x" * 100_000] * 11)
        wire.answers["/events"] = [endless, stream(event(T0, actor="c1"))]
        async with streaming(wire) as (events, told):
            await until(lambda: told.actors == ["c1"], "the event")
            assert events.stats.reconnects == {"bad_answer": 1}


async def test_events_in_pieces_and_out_of_order_all_arrive() -> None:
    """Chunks need not end with lines, and stamps need not grow."""
    whole = b"".join(event(T0 + n, actor=f"c{n}") for n in (3, 1, 2))
    pieces = [whole[n : n + 7] for n in range(0, len(whole), 7)]
    async with wire_engine() as wire:
        wire.answers["/events"] = [stream(*pieces)]
        async with streaming(wire) as (events, told):
            await until(lambda: len(told.actors) == 3, "three events")
            assert told.actors == ["c3", "c1", "c2"]
            assert events.stats.last_event_ns == T0 + 3


async def test_the_older_scope_says_where_to_resume() -> None:
    """The Swarm's events bear another clock: one that is ahead must not skip local ones."""
    ahead = event(T0 + 3600 * SECOND, "update", "s1", "service", scope="swarm")
    async with wire_engine() as wire:
        wire.answers["/events"] = [stream(event(T0, actor="c1"), ahead, end="clean"), stream()]
        async with streaming(wire) as (events, _):
            await until(lambda: events.stats.resyncs == 2, "the second connection")
        assert wire.asked("/events")[1].query["since"] == f"{T0 // SECOND - 1}.000000000"


async def test_a_new_version_is_found_at_reconnect() -> None:
    """A daemon replaced by another version is spoken to in that version's words."""
    async with wire_engine() as wire:
        wire.answers["/events"] = [stream(end="clean"), stream()]
        async with streaming(wire) as (events, _):
            await until(lambda: events.stats.resyncs >= 1, "the first connection")
            wire.api_version = "1.51"
            events.reconnect()
            await until(lambda: wire.asked("/v1.51/events") != [], "the new version")


async def test_lost_and_back_are_one_line_each() -> None:
    """However often it is tried in between, an outage is told once, and its end once."""
    no = answer({"message": "boom"}, status=500)
    with capture_logs() as lines:
        async with wire_engine() as wire:
            wire.answers["/events"] = [stream(end="clean"), no, no, no, no, no, no, stream()]
            async with streaming(wire) as (events, _):
                await until(lambda: events.stats.resyncs == 2, "the stream to be back")
                assert sum(events.stats.reconnects.values()) == 7
    told = [line["event"] for line in lines]
    assert told == ["event stream connected", "event stream lost", "event stream back"]
    assert "away_seconds" in lines[-1]


async def test_cancelling_closes_the_connection() -> None:
    """A cancelled stream leaves nothing open."""
    async with wire_engine() as wire:
        wire.answers["/events"] = [stream(event(T0))]
        async with DockerEngine(wire.url) as engine:
            async with engine.events(None) as events:
                await anext(events)
                assert wire.open_connections >= 1
            await until(lambda: wire.open_connections <= 1, "the stream's connection to close")
            async with asyncio.timeout(30):
                wire.answers["/events"] = [hang]
                task = asyncio.create_task(_enter(engine))
                await until(lambda: len(wire.asked("/events")) == 2, "the request")
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await until(lambda: wire.open_connections == 0, "every connection to close")


async def _enter(engine: DockerEngine) -> None:
    async with engine.events(None):
        pass


async def test_a_callbacks_own_error_is_not_swallowed() -> None:
    """A defect in whoever listens ends the stream's task instead of hiding."""

    def broken(_: Event) -> None:
        raise ZeroDivisionError

    async with wire_engine() as wire, DockerEngine(wire.url) as engine:
        wire.answers["/events"] = [stream(event(T0))]
        with pytest.raises(ZeroDivisionError):
            await EventStream(engine, LoopClock(), broken, lambda _: None).run()


async def test_actions_are_counted_in_a_closed_set() -> None:
    """Counts by type and action stay few whatever the daemon sends."""
    names = ["health_status: healthy", "exec_create: /bin/sh -c x", "brand_new", "die"]
    lines = [event(T0 + n, name) for n, name in enumerate(names)]
    async with wire_engine() as wire:
        wire.answers["/events"] = [stream(*lines, event(T0 + 9, "create", kind="hologram"))]
        async with streaming(wire) as (events, told):
            await until(lambda: len(told.actors) == 5, "all events")
            assert events.stats.events == {
                ("container", "health_status"): 1,
                ("container", "exec_create"): 1,
                ("container", "other"): 1,
                ("container", "die"): 1,
                ("other", "create"): 1,
            }


async def test_a_flapping_stream_is_one_story() -> None:
    """A stream that ends as soon as it is open is told once, and is no sign of a lost engine."""
    lost: list[None] = []
    with capture_logs() as lines:
        async with wire_engine() as wire:
            wire.answers["/events"] = [stream(end="clean")]
            async with streaming(wire, on_lost=lambda: lost.append(None)) as (events, _):
                await until(lambda: sum(events.stats.reconnects.values()) > 8, "eight ends")
    told = [line["event"] for line in lines]
    assert told == ["event stream connected", "event stream lost", "event stream back"]
    assert lost == []


async def test_while_the_engine_is_known_to_be_away_the_stream_keeps_quiet() -> None:
    """Whoever asks the engine tells of its loss; a stream that cannot be opened adds nothing."""
    up = False
    with capture_logs() as lines:
        async with wire_engine() as wire:
            wire.answers["/events"] = [answer(b"no", status=502)]
            async with streaming(wire, engine_up=lambda: up) as (events, _):
                await until(lambda: sum(events.stats.reconnects.values()) > 3, "three refusals")
                assert lines == []
                up = True  # it does answer, but not on this path: that is the stream's own news
                await until(lambda: lines != [], "the refusal to be told")
    assert [line["event"] for line in lines] == ["event stream lost"]
