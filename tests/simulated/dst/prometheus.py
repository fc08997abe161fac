"""The Prometheus server that agents ask about `jobs`, and all that is wrong with it at times."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from monitor.sources.fault import ServerFault
from monitor.sources.fetch import Answer, Fetch, Request

ADDRESS = "http://prometheus:9090"
TAKES = 0.02

MODES = (
    *("nan", "inf", "empty", "stale", "error", "hangs", "refuses", "garbage", "two series"),
    *("empty", "stale", "hangs"),
)
"""`zero` is none of them: it is a number like others."""


class Prometheus:
    """value: the number that is true now. wall: the server's own clock."""

    def __init__(self, value: Callable[[], float], wall: Callable[[], float]) -> None:
        self._value, self._wall = value, wall
        self.mode = ""
        self.asked = 0
        self.on_mode: Callable[[str], None] = lambda _: None

    def use(self, mode: str) -> None:
        self.mode = mode
        self.on_mode(mode)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Fetch]:
        yield self._fetch

    async def _fetch(self, request: Request) -> Answer:
        self.asked += 1
        match self.mode:
            case "hangs":
                await asyncio.sleep(request.timeout)
                raise ServerFault(f"{ADDRESS} did not answer within {request.timeout:g} s")
            case "refuses":
                raise ServerFault(f"{ADDRESS} cannot be reached: connection refused")
        await asyncio.sleep(TAKES)
        return self._answer(self._wall())

    def _answer(self, now: float) -> Answer:
        at = now - 400.0 if self.mode == "stale" else now
        value = {"nan": "NaN", "inf": "+Inf"}.get(self.mode, f"{self._value():g}")
        sample = {"metric": {}, "value": [at, value]}
        series = {"empty": [], "two series": [sample, sample]}.get(self.mode, [sample])
        whole = {"status": "success", "data": {"resultType": "vector", "result": series}}
        if self.mode == "error":
            whole = {"status": "error", "errorType": "execution", "error": "query timed out"}
        body = b"<html>" if self.mode == "garbage" else json.dumps(whole).encode()
        return Answer(422 if self.mode == "error" else 200, "application/json", body, now)
