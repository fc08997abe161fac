"""Numbers of sources over time: how old they may be, what failing means, who is read at all."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from structlog.testing import capture_logs

from monitor.model.scalar import JsonUrl, Number, PrometheusQuery
from monitor.simulate.clock import VirtualClock
from monitor.sources.fault import ServerFault
from monitor.sources.fetch import Answer, Fetch, Request
from monitor.sources.numbers import AT_ONCE, FORGET_AFTER, Numbers
from tests.simulated.virtual import virtual

QUERY = PrometheusQuery("up", address="http://prometheus:9090")
PROBLEM = "http://prometheus:9090 cannot be reached: connection refused"


@dataclass(slots=True)
class Servers:
    """Answers each request with `value` after `delay` seconds, unless its host is in `down`."""

    value: float = 1.0
    delay: float = 0.0
    down: set[str] = field(default_factory=set)
    hanging: set[str] = field(default_factory=set)
    asked: list[tuple[float, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    open: bool = False

    async def __call__(self, request: Request) -> Answer:
        host = request.url.host or ""
        self.asked.append((asyncio.get_running_loop().time(), host))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._answer(host, request.timeout)
        finally:
            self.at_once -= 1

    async def _answer(self, host: str, timeout: float) -> Answer:
        if host in self.hanging:
            await asyncio.sleep(timeout)
            raise ServerFault(f"http://{host} did not answer")
        await asyncio.sleep(self.delay)
        if host in self.down:
            raise ServerFault(f"http://{host}:9090 cannot be reached: connection refused")
        result = {"resultType": "scalar", "result": [0, str(self.value)]}
        body = {"status": "success", "data": result, "n": self.value}
        return Answer(200, "application/json", json.dumps(body).encode())

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Fetch]:
        self.open = True
        try:
            yield self
        finally:
            assert not self.at_once, "closed while questions are under way"
            self.open = False


@asynccontextmanager
async def reading(**options: Any) -> AsyncIterator[tuple[Servers, Numbers]]:
    servers = Servers()
    numbers = Numbers(VirtualClock(), opened=servers.opened, **options)
    task = asyncio.create_task(numbers.run(), name="numbers")
    await asyncio.sleep(0)
    yield servers, numbers
    task.cancel()
    await asyncio.wait([task])
    assert not servers.open


def now() -> float:
    return asyncio.get_running_loop().time()


async def ask(numbers: Numbers, source: Any = QUERY, seconds: float = 0.0) -> Number | None:
    """Asks once a second for so long, as a controller does; the last answer."""
    end = now() + seconds
    while now() < end:
        numbers.number(source, now())
        await asyncio.sleep(1)
    found = numbers.number(source, now())
    await asyncio.sleep(0)
    return found


@virtual()
async def test_a_source_is_read_every_interval_while_it_is_asked_for() -> None:
    """None before the first answer; then the newest value with its age."""
    async with reading() as (servers, numbers):
        assert numbers.number(QUERY, now()) is None
        await asyncio.sleep(1)
        assert numbers.number(QUERY, now()) == Number(1.0, 1.0)
        servers.value = 2.0
        assert await ask(numbers, seconds=12) == Number(2.0, now() - servers.asked[-1][0])
        await ask(numbers, seconds=600)
        times = [at for at, _ in servers.asked]
        pauses = [after - before for before, after in itertools.pairwise(times)]
        assert all(9.4 < pause < 10.6 for pause in pauses)
        assert len(set(pauses)) > 10  # not all agents at the same moment for ever


@virtual()
async def test_nobody_asks_nobody_reads() -> None:
    """A minute after the last question it is forgotten, however long its interval is."""
    for interval in (10.0, 3000.0):
        async with reading() as (servers, numbers):
            source = PrometheusQuery("up", address="http://a", interval=interval)
            await ask(numbers, source)
            await asyncio.sleep(FORGET_AFTER - 1)
            assert numbers.count == 1
            await asyncio.sleep(2)
            assert numbers.count == 0
            asked = len(servers.asked)
            await asyncio.sleep(100)
            assert len(servers.asked) == asked
            assert numbers.number(source, now()) is None  # and begins anew
            await asyncio.sleep(1)
            assert numbers.number(source, now()) == Number(1.0, 1.0)


@virtual()
async def test_one_failure_does_no_harm_two_are_no_number() -> None:
    """The last value is given out with its age for two intervals and a timeout, then none is."""
    async with reading() as (servers, numbers):
        await ask(numbers, seconds=1)
        servers.down = {"prometheus"}
        read_at = servers.asked[0][0]
        while (found := await ask(numbers, seconds=1)) is not None and found.value is not None:
            assert found == Number(1.0, now() - read_at)
        assert 25.0 < now() - read_at <= 26.0
        assert found is not None
        assert (found.value, found.problem) == (None, PROBLEM)
        assert 0 <= found.age < 11.0
        servers.down = set()
        found = await ask(numbers, seconds=11)
        assert found is not None
        assert found.value == 1.0


@virtual()
async def test_a_source_that_never_answered_says_why_at_once() -> None:
    """No value was ever there to be patient with."""
    async with reading() as (servers, numbers):
        servers.down = {"prometheus"}
        found = await ask(numbers, seconds=1)
        assert found == Number(None, 1.0, PROBLEM)
        odd = await ask(numbers, JsonUrl("http://json", "$"), seconds=1)
        assert odd is not None
        assert "leave out the $" in odd.problem


@virtual()
async def test_without_a_server_the_sentence_says_what_to_write() -> None:
    """A query without an address goes to the agent's own server, if it has one."""
    async with reading() as (servers, numbers):
        found = await ask(numbers, PrometheusQuery("up"), seconds=1)
        assert found is not None
        assert "--prometheus http://HOST:9090" in found.problem
        assert not servers.asked
    async with reading(prometheus="http://default:9090") as (servers, numbers):
        assert await ask(numbers, PrometheusQuery("up"), seconds=1) == Number(1.0, 1.0)
        assert {host for _, host in servers.asked} == {"default"}


@virtual()
async def test_a_server_that_hangs_holds_up_no_other() -> None:
    """Each server has its own places; of one no more than some are asked at a time."""
    async with reading() as (servers, numbers):
        servers.hanging = {"slow"}
        stuck = [PrometheusQuery(f"q{n}", address="http://slow:9090") for n in range(100)]
        for _ in range(30):
            for source in stuck:
                numbers.number(source, now())
            found = await ask(numbers, seconds=1)
            assert found is not None
            assert found.value == 1.0
        assert servers.most_at_once <= AT_ONCE + 1
        last = numbers.number(stuck[-1], now())
        assert last is not None  # it still waits for its turn
        assert "many others are asked for there too" in last.problem


@virtual()
async def test_there_is_a_ceiling() -> None:
    """One more distinct source than may be is a sentence; the others go on; places get free."""
    async with reading(max_sources=2) as (_, numbers):
        sources = [PrometheusQuery(f"q{n}", address="http://a") for n in range(3)]
        answers = [numbers.number(source, now()) for source in sources]
        assert answers[:2] == [None, None]
        assert answers[2] is not None
        assert "more than 2 different queries" in answers[2].problem
        await ask(numbers, sources[0], seconds=FORGET_AFTER + 1)
        assert await ask(numbers, sources[2], seconds=1) == Number(1.0, 1.0)


@virtual()
async def test_what_is_asked_for_before_the_start_is_read_first() -> None:
    """And nothing more is begun after the end."""
    servers = Servers()
    numbers = Numbers(VirtualClock(), opened=servers.opened)
    assert numbers.number(QUERY, now()) is None
    task = asyncio.create_task(numbers.run())
    await asyncio.sleep(1)
    assert numbers.number(QUERY, now()) == Number(1.0, 1.0)
    servers.delay = 3.0
    await asyncio.sleep(10)
    assert servers.at_once == 1
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert (servers.open, servers.at_once) == (False, 0)
    assert numbers.number(QUERY, now()) is None
    await asyncio.sleep(100)
    assert len(servers.asked) == 2


@virtual()
async def test_one_line_when_a_server_goes_and_one_when_it_is_back() -> None:
    """However many sources ask it and however long; a single failure is no line."""
    with capture_logs() as logs:
        async with reading() as (servers, numbers):
            sources = [PrometheusQuery(f"q{n}", address="http://a:9090") for n in range(50)]

            async def asking(seconds: int) -> None:
                for _ in range(seconds):
                    for source in sources:
                        numbers.number(source, now())
                    await asyncio.sleep(1)

            await asking(30)
            servers.down = {"a"}
            await asking(9)
            servers.down = set()
            await asking(30)
            assert logs == []
            servers.down = {"a"}
            await asking(600)
            said = [(line["log_level"], line["event"]) for line in logs]
            problem = "http://a:9090 cannot be reached: connection refused"
            assert said == [("warning", f"a metric cannot be read: {problem}")]
            servers.down = set()
            await asking(30)
            assert [line["log_level"] for line in logs] == ["warning", "info"]


@virtual()
async def test_an_odd_error_is_a_failure_like_others() -> None:
    """Whatever a server makes a library raise, the agent goes on."""

    class Odd(Servers):
        async def __call__(self, request: Request) -> Answer:
            raise RuntimeError("Bearer s3cret")

    servers = Odd()
    numbers = Numbers(VirtualClock(), opened=servers.opened)
    task = asyncio.create_task(numbers.run())
    found = await ask(numbers, seconds=30)
    assert found is not None
    assert found.problem == "it cannot be read: RuntimeError"
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])
