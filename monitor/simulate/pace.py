"""An event loop on which everything happens a chosen number of times faster than in reality."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _HastySelector(selectors.DefaultSelector):
    speed = 1.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        shorter = None if timeout is None else timeout / self.speed
        found: list[tuple[selectors.SelectorKey, int]] = super().select(shorter)
        return found


class PacedLoop(asyncio.SelectorEventLoop):
    """`speed` 10: ten seconds of this loop's time pass in one; sockets are as fast as ever.

    Whatever waits for another process has its deadlines shortened as much, so that only what
    lives on this loop should be waited for with tight ones.
    """

    def __init__(self, speed: float) -> None:
        if not speed > 0:
            raise ValueError(f"time cannot go {speed} times as fast: write a number above 0")
        self._speed = speed
        self._begin: float | None = None
        selector = _HastySelector()
        selector.speed = speed
        super().__init__(selector)

    def time(self) -> float:
        now = super().time()
        if self._begin is None:
            self._begin = now
        return self._begin + (now - self._begin) * self._speed


def run_paced(main: Coroutine[Any, Any, T], speed: float = 1.0) -> T:
    """`asyncio.run` on a PacedLoop, or at speed 1 on a common one."""
    factory = None if speed == 1 else (lambda: PacedLoop(speed))
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)
