"""Reading over real sockets: from the first question to the orderly end."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from monitor.agent.clock import SystemClock
from monitor.model.scalar import JsonUrl, PrometheusQuery
from monitor.sources.numbers import AT_ONCE, Numbers
from tests.unit.sources.server import saying, serving, silent


@asynccontextmanager
async def reading() -> AsyncIterator[Numbers]:
    numbers = Numbers(SystemClock())
    task = asyncio.create_task(numbers.run())
    yield numbers
    task.cancel()
    await asyncio.wait([task], timeout=10)
    assert task.cancelled()


async def until(met: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not met():
            await asyncio.sleep(0.01)


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_numbers_come_from_real_servers() -> None:
    """A query and a URL, side by side, each with its own address."""
    result = {"resultType": "scalar", "result": [4e9, "7"]}
    answer = json.dumps({"status": "success", "data": result})
    async with (
        serving(saying(answer)) as one,
        serving(saying('{"n": 9}')) as other,
        reading() as numbers,
    ):
        query, url = PrometheusQuery("up", address=one.url), JsonUrl(other.url, "n")

        def values() -> list[float | None]:
            found = (numbers.number(query, now()), numbers.number(url, now()))
            return [None if number is None else number.value for number in found]

        await until(lambda: None not in values())
        assert values() == [7.0, 9.0]


async def test_the_end_waits_for_no_answer() -> None:
    """Questions under way are given up at once, and the loop is never held up by them."""
    async with serving(silent) as server:
        async with reading() as numbers:
            for number in range(50):
                numbers.number(JsonUrl(f"{server.url}/{number}", "n"), now())
            await until(lambda: server.at_once == AT_ONCE)
            began = now()
        assert now() - began < 5
        assert server.most_at_once == AT_ONCE
