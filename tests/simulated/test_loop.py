"""The virtual-time loop itself."""

import asyncio
import math
import time
from contextlib import suppress

import pytest

from monitor.simulate.clock import VirtualClock
from monitor.simulate.loop import Deadlock, LimitReached, run_virtual
from tests.simulated.virtual import virtual


def test_a_day_passes_at_once() -> None:
    """Sleeping takes virtual time alone, and exactly as much as was asked for."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        before = loop.time()
        for _ in range(24):
            await asyncio.sleep(3600.0)
        return loop.time() - before

    began = time.perf_counter()
    assert run_virtual(main()) == pytest.approx(86_400.0, abs=1e-6)
    assert time.perf_counter() - began < 30.0


def test_timers_fire_in_order_of_time() -> None:
    """Whatever the order of creation, timers fire by their times."""
    order: list[int] = []

    async def wait(seconds: int) -> None:
        await asyncio.sleep(seconds)
        order.append(seconds)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for seconds in (5, 1, 3, 2, 4):
                group.create_task(wait(seconds))

    run_virtual(main())
    assert order == [1, 2, 3, 4, 5]


def test_waiting_for_nobody_is_an_error() -> None:
    """A test that would hang for ever says so, and names who waits."""

    async def hang() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="hang"):
        run_virtual(hang())


def test_the_limit_stops_what_goes_on_for_ever() -> None:
    """Periodic work does not keep a test alive beyond its limit."""

    async def tick() -> None:
        while True:
            await asyncio.sleep(1.0)

    with pytest.raises(LimitReached):
        run_virtual(tick(), limit=100.0)


def test_left_over_tasks_are_cancelled() -> None:
    """A task that outlives the main one gets its CancelledError."""
    cancelled = []

    async def rest() -> None:
        try:
            await asyncio.sleep(1e9)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def main() -> "asyncio.Task[None]":
        task = asyncio.create_task(rest())
        await asyncio.sleep(1)
        return task

    run_virtual(main())
    assert cancelled == [True]


def test_errors_nobody_looks_at_fail_the_run() -> None:
    """An exception in a callback is not lost in a log."""

    async def main() -> None:
        asyncio.get_running_loop().call_later(1.0, lambda: 1 / 0)
        await asyncio.sleep(2.0)

    with pytest.raises(ZeroDivisionError):
        run_virtual(main())


@virtual()
async def test_time_stands_still_while_a_thread_works() -> None:
    """Work in a thread finishes before any timer, however short."""
    loop = asyncio.get_running_loop()
    before = loop.time()
    async with asyncio.timeout(0.001):
        assert await asyncio.to_thread(lambda: time.sleep(0.05) or 7) == 7
    assert loop.time() == before


@virtual()
async def test_the_wall_can_jump_without_monotonic_time() -> None:
    """A step of the wall clock leaves monotonic time alone."""
    clock = VirtualClock()
    before = clock.now()
    clock.jump_wall(-3600.0)
    await asyncio.sleep(1.0)
    after = clock.now()
    assert after.mono - before.mono == pytest.approx(1.0)
    assert after.wall - before.wall == pytest.approx(-3599.0)


@virtual(limit=100)
async def test_tasks_that_wait_for_the_same_moment_reach_it() -> None:
    """A moment that is a rounding error away comes, though two look at the clock and wait on."""
    loop = asyncio.get_running_loop()
    goal = loop.time() + 50.0
    waits = 0

    async def wait_for_it(turns: int) -> None:
        nonlocal waits
        await until(goal - 2 * math.ulp(goal))
        for _ in range(turns):
            await asyncio.sleep(0)
        while loop.time() < goal:
            waits += 1
            assert waits < 100
            await until(goal)

    async def until(at: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(at):
                await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        for turns in range(3):
            group.create_task(wait_for_it(turns))
    assert loop.time() >= goal
