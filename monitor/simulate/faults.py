"""What can be wrong between an agent and its simulated engine."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from monitor.ports.errors import EngineError, Unreachable


@dataclass(slots=True)
class EngineFaults:
    """Set what shall go wrong. All delays in seconds.

    unreachable: every call fails at once. latency: of each half of a call, the way there and
    the way back. slow: added before the engine looks; beyond the deadline it is never known
    whether a write was carried out. answer_delay: called with the method and its key, seconds
    added after the engine looked: the answer is old when it comes. lose_replies: so many of
    the next writes are carried out and then not answered.
    """

    unreachable: bool = False
    latency: float = 0.002
    slow: float = 0.0
    answer_delay: Callable[[str, str], float] | None = None
    lose_replies: int = 0
    thawed: asyncio.Event = field(default_factory=asyncio.Event)
    _once: list[tuple[str, EngineError]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.thawed.set()

    def fail_next(self, method: str, error: EngineError, times: int = 1) -> None:
        """The next `times` calls of `method` (say "tasks"; "*" for any) end in `error`."""
        self._once.extend([(method, error)] * times)

    async def on_the_way(self, method: str) -> None:
        """The first half of a call."""
        if self.unreachable:
            raise Unreachable("cannot connect to the simulated engine")
        if self._once:
            self._fail(method)
        await asyncio.sleep(self.latency + self.slow)
        if not self.thawed.is_set():
            await self.thawed.wait()

    def _fail(self, method: str) -> None:
        for index, (wanted, error) in enumerate(self._once):
            if wanted in (method, "*"):
                del self._once[index]
                raise error

    async def on_the_way_back(self, method: str, key: str) -> None:
        delay = self.answer_delay(method, key) if self.answer_delay else 0.0
        await asyncio.sleep(self.latency + delay)
        if not self.thawed.is_set():
            await self.thawed.wait()
        if self.unreachable:
            raise Unreachable("the simulated engine was cut off before the answer")
