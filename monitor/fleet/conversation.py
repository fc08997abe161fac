"""One connection's life on either side: handshake, then reading and writing until it ends."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from monitor.fleet.ends import End, StreamEnded
from monitor.fleet.outbox import Outbox
from monitor.fleet.session import Hello, Session
from monitor.fleet.stats import Counters
from monitor.fleet.wire import Wire

HANDSHAKE_SECONDS = 5.0
SILENCE_SECONDS = 15.0
SEND_SECONDS = 10.0


class Conversation:
    """Frames of one session on one wire. All waiting is bounded; all ends are StreamEnded."""

    def __init__(self, wire: Wire, session: Session, counters: Counters) -> None:
        self._wire = wire
        self._session = session
        self._counters = counters

    async def shake_hands(self) -> Hello:
        """The other side's hello, once both have proved that they know the secret."""
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                for frame in self._session.start():
                    await self._send(frame)
                while not self._session.established:
                    for frame in self._session.greet(await self._receive()):
                        await self._send(frame)
        except TimeoutError:
            raise self._session.late(HANDSHAKE_SECONDS) from None
        assert self._session.peer is not None
        return self._session.peer

    async def run(self, outbox: Outbox, take: Callable[[bytes], bool]) -> NoReturn:
        """Sends what is put into `outbox`, gives what comes to `take`; raises why it ended.

        take: whether that content was understood; it ends after 15 s without any that was.
        """
        async with asyncio.TaskGroup() as group:
            # Neither raises StreamEnded: where children of a group fail while their parent is
            # cancelled, Python 3.11 forgets the cancellation.
            tasks = [
                group.create_task(_until_end(self._write(outbox), outbox)),
                group.create_task(_until_end(self._read(take), outbox)),
            ]
            reason = await outbox.ended()
            for task in tasks:
                task.cancel()
        raise reason

    async def _write(self, outbox: Outbox) -> NoReturn:
        while True:
            frame = self._session.seal(await outbox.take())
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await self._send(frame)
            except TimeoutError:
                raise StreamEnded(
                    End.SLOW, f"It read nothing of what it was sent for {SEND_SECONDS:.0f} s."
                ) from None

    async def _read(self, take: Callable[[bytes], bool]) -> NoReturn:
        loop = asyncio.get_running_loop()
        heard_at = loop.time()
        while True:
            try:
                async with asyncio.timeout_at(heard_at + SILENCE_SECONDS):
                    frame = await self._receive()
            except TimeoutError:
                raise StreamEnded(
                    End.SILENT, f"It said nothing for {SILENCE_SECONDS:.0f} s."
                ) from None
            if take(self._session.open(frame)):
                heard_at = loop.time()

    async def _send(self, frame: bytes) -> None:
        await self._wire.send(frame)
        self._counters.sent(frame)

    async def _receive(self) -> bytes:
        frame = await self._wire.receive()
        self._counters.received(frame)
        return frame


async def _until_end(part: Coroutine[Any, Any, NoReturn], outbox: Outbox) -> None:
    try:
        await part
    except StreamEnded as end:
        outbox.end(end)
