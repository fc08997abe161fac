"""Time and chance of a simulation: the loop's clock, a wall that can be pushed, a seed."""

import asyncio
import random

from monitor.model.now import Now


class VirtualClock:
    """`monitor.ports.clock.Clock` on the running loop.

    start_wall: what the wall clock shows where the monotonic clock is 0, in epoch seconds.
    seed: of all chance drawn here; equal seeds give equal runs.
    """

    def __init__(self, *, start_wall: float = 1_750_000_000.0, seed: int = 0) -> None:
        self._start_wall = start_wall
        self._random = random.Random(seed)  # noqa: S311  (reproducible, not secret)
        self._now = Now(-1.0, 0.0)  # of the moment that was last asked for: often the same

    def now(self) -> Now:
        mono = asyncio.get_running_loop().time()
        if mono != self._now.mono:
            self._now = Now(mono, self._start_wall + mono)
        return self._now

    def random(self) -> float:
        return self._random.random()

    def jump_wall(self, seconds: float) -> None:
        """Set the wall clock forward, or back where negative; monotonic time is untouched."""
        self._start_wall += seconds
        self._now = Now(-1.0, 0.0)
