"""How late the event loop runs what is due."""

import asyncio
from bisect import bisect_left
from collections import deque
from typing import NoReturn

from monitor.export.facts import DelayFacts
from monitor.ports.clock import Clock

BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

_INTERVAL = 0.1
_KEPT = 150


class LoopLag:
    """Looks ten times a second; `worst` is the longest delay of the last 15 s, in seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._late: deque[float] = deque(maxlen=_KEPT)
        self._buckets = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0

    @property
    def worst(self) -> float:
        return max(self._late, default=0.0)

    @property
    def delays(self) -> DelayFacts:
        """All delays since the start."""
        return DelayFacts(sum(self._buckets), self._seconds, BOUNDS, tuple(self._buckets))

    async def run(self) -> NoReturn:
        while True:
            before = self._clock.now().mono
            await asyncio.sleep(_INTERVAL)
            late = max(self._clock.now().mono - before - _INTERVAL, 0.0)
            self._late.append(late)
            self._seconds += late
            self._buckets[bisect_left(BOUNDS, late)] += 1
