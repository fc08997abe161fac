"""Asking again while the first question still hangs."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def first_answer(
    ask: Callable[[], Coroutine[Any, Any, T]], *, every: float, within: float
) -> T:
    """What the first of several equal questions comes to, be it a value or an error.

    Another one is asked whenever none was answered for `every` seconds; TimeoutError after
    `within` seconds. For reads alone: how often the other side answers is left open.
    """
    asked: set[asyncio.Task[T]] = set()
    try:
        async with asyncio.timeout(within):
            while True:
                asked.add(asyncio.create_task(ask()))
                done, _ = await asyncio.wait(
                    asked, timeout=every, return_when=asyncio.FIRST_COMPLETED
                )
                if done:
                    return done.pop().result()
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
