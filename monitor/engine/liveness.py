"""Whether the engine answers at all, asked every few seconds."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import structlog

from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.ports.errors import EngineError

_log = structlog.get_logger("monitor.engine.liveness")


class Liveness:
    """`up` is False until the first answer. `since` is monotonic: when `up` last changed.

    on_change(up) is called at each change, the first answer or silence included. on_recovery
    is called when the engine answers after a silence, with the monotonic time of its beginning:
    what was open to it before may be half-open. Both are synchronous. Meant for
    `EventStream.reconnect`, which also asks for a re-list.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        on_change: Callable[[bool], None],
        *,
        on_recovery: Callable[[float], None] | None = None,
        interval: float = 5.0,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._on_change = on_change
        self._on_recovery = on_recovery
        self._interval = interval
        self._up: bool | None = None
        self._since = clock.now().mono
        self._why = "the engine was not asked yet"
        self._ask = asyncio.Event()

    @property
    def up(self) -> bool:
        return self._up is True

    @property
    def since(self) -> float:
        return self._since

    @property
    def why(self) -> str:
        """One sentence on why `up` is False; "" while it is True."""
        return self._why

    def ask_now(self) -> None:
        """Something hints that the engine is gone: do not wait for the next round."""
        self._ask.set()

    async def run(self) -> NoReturn:
        """Asks at once, then every `interval` seconds, until cancelled."""
        while True:
            self._ask.clear()
            try:
                await self._engine.ping()
            except EngineError as error:
                self._heard(False, str(error))
            else:
                self._heard(True, "")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._ask.wait()

    def _heard(self, up: bool, why: str) -> None:
        self._why = why
        before, self._up = self._up, up
        if before is up:
            return
        began, self._since = self._since, self._clock.now().mono
        if not up:
            _log.warning("the engine does not answer", why=why)
        elif before is False:
            _log.info("the engine answers again", silent_seconds=round(self._since - began, 3))
        self._on_change(up)
        if up and before is False and self._on_recovery is not None:
            self._on_recovery(began)
