"""The event stream and the prober while a real engine dies, freezes and comes back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from monitor.engine.client import DockerEngine
from monitor.engine.deadlines import Deadlines
from monitor.engine.liveness import Liveness
from monitor.engine.stream import EventStream
from monitor.model.event import Event
from monitor.model.now import Now
from tests.real.lab import Swarm


class LoopClock:
    def now(self) -> Now:
        return Now(mono=asyncio.get_running_loop().time(), wall=0.0)

    def random(self) -> float:
        return 0.5


class Heard:
    """One engine's stream and prober, wired as the agent wires them."""

    def __init__(self, engine: DockerEngine) -> None:
        clock = LoopClock()
        self.events: list[Event] = []
        self.resyncs: list[str] = []
        self.stream = EventStream(engine, clock, self.events.append, self.resyncs.append)
        self.liveness = Liveness(
            engine, clock, lambda _: None, on_recovery=self.stream.reconnect, interval=0.5
        )

    def of(self, service_id: str, action: str) -> list[Event]:
        return [e for e in self.events if e.actor_id == service_id and e.action == action]

    def doubles(self) -> list[object]:
        counted = Counter((e.time_ns, e.type, e.actor_id, e.action) for e in self.events)
        return [key for key, count in counted.items() if count > 1]


@asynccontextmanager
async def hearing(swarm: Swarm) -> AsyncIterator[Heard]:
    async with DockerEngine(swarm.manager.url, deadlines=Deadlines(ping=0.5)) as engine:
        heard = Heard(engine)
        tasks = [asyncio.create_task(heard.stream.run()), asyncio.create_task(heard.liveness.run())]
        try:
            await until(
                lambda: heard.stream.connected and heard.liveness.up, "the first connection"
            )
            yield heard
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
            await asyncio.to_thread(swarm.remove_services)


async def until(condition: Callable[[], bool], what: str, timeout: float = 60) -> None:
    try:
        async with asyncio.timeout(timeout):
            while not condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"waited {timeout} s for {what}")


async def test_the_stream_outlives_the_engines_restarts(one_node: Swarm) -> None:
    """Killed and stopped in good order: back each time, re-list asked for, nothing twice."""
    swarm = one_node
    with capture_logs() as lines:
        async with hearing(swarm) as heard:
            before = swarm.create_service("before")
            await until(lambda: bool(heard.of(before, "create")), "the first service")
            for turn, graceful in enumerate((False, True), start=1):
                resyncs = len(heard.resyncs)
                await asyncio.to_thread(swarm.manager.restart, graceful=graceful)
                await until(lambda n=resyncs: len(heard.resyncs) > n, "a re-list")
                await until(lambda: heard.stream.connected and heard.liveness.up, "the stream")
                await asyncio.to_thread(swarm.wait_ready)
                after = await asyncio.to_thread(swarm.create_service, f"after{turn}")
                await until(lambda one=after: bool(heard.of(one, "create")), "the next service")
            assert not heard.doubles()
            assert heard.stream.stats.reconnects.keys() <= {"unreachable", "bad_answer", "asked"}
    told = Counter(line["event"] for line in lines)
    # A prober's recovery may add one round per restart where it heard of it later.
    assert 2 <= told["event stream lost"] <= 4
    assert told["event stream lost"] == told["event stream back"]


async def test_a_frozen_engine_is_seen_and_heard_again(one_node: Swarm) -> None:
    """Frozen: the prober says so within its deadline; thawed: the stream is made anew."""
    swarm = one_node
    async with hearing(swarm) as heard:
        node = swarm.manager
        node.freeze()
        try:
            await until(lambda: not heard.liveness.up, "the prober to notice", timeout=5)
            assert "in time" in heard.liveness.why
            assert heard.stream.connected  # the connection itself shows nothing
        finally:
            node.thaw()
        await until(lambda: heard.liveness.up, "an answer", timeout=10)
        await until(lambda: len(heard.resyncs) >= 2, "a re-list", timeout=10)
        assert heard.stream.stats.reconnects == {"asked": 1}
        await asyncio.to_thread(swarm.wait_ready)
        service = await asyncio.to_thread(swarm.create_service, "thawed")
        await until(lambda: bool(heard.of(service, "create")), "the service")
        assert not heard.doubles()


async def test_a_busy_stream_tells_each_event_once(one_node: Swarm) -> None:
    """Fifty updates at once are all heard, once each, in the order of their versions."""
    swarm = one_node
    async with hearing(swarm) as heard:
        service = await asyncio.to_thread(swarm.create_service, "web")
        await until(lambda: bool(heard.of(service, "create")), "the service")
        start = len(heard.of(service, "update"))
        sent = 0
        for turn in range(50):
            raw = await asyncio.to_thread(swarm.manager.api, "GET", f"/services/{service}")
            raw["Spec"]["Labels"] = {"turn": str(turn)}
            version = raw["Version"]["Index"]
            path = f"/services/{service}/update?version={version}"
            await asyncio.to_thread(swarm.manager.api, "POST", path, raw["Spec"])
            sent += 1
        await until(lambda: len(heard.of(service, "update")) >= start + sent, "all updates")
        stamps = [event.time_ns for event in heard.of(service, "update")]
        assert stamps == sorted(stamps)
        assert not heard.doubles()
