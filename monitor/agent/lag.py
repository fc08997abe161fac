"""How late the event loop runs what is due."""

import asyncio
from collections import deque
from typing import NoReturn

from monitor.ports.clock import Clock

_INTERVAL = 0.25
_KEPT = 60


class LoopLag:
    """`worst` is the longest delay of the last 15 s, in seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._late: deque[float] = deque(maxlen=_KEPT)

    @property
    def worst(self) -> float:
        return max(self._late, default=0.0)

    async def run(self) -> NoReturn:
        while True:
            before = self._clock.now().mono
            await asyncio.sleep(_INTERVAL)
            self._late.append(max(self._clock.now().mono - before - _INTERVAL, 0.0))
