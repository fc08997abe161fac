"""The one adapter to real time and chance."""

import asyncio
import random
import time
from dataclasses import dataclass

from monitor.model.now import Now


@dataclass(frozen=True, slots=True)
class SystemClock:
    """Monotonic time is the running loop's, so that timers and ages agree."""

    def now(self) -> Now:
        return Now(asyncio.get_running_loop().time(), time.time())

    def random(self) -> float:
        return random.random()
