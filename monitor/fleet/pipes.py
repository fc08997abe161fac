"""Wires within one process, for whole fleets on virtual time: no sockets, no threads."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from monitor.fleet.conversation import HANDSHAKE_SECONDS
from monitor.fleet.ends import CLOSE_CODES, End, StreamEnded, told
from monitor.fleet.wire import Connect, Wire

_Attend = Callable[[Wire, str], Awaitable[None]]
_Serving = tuple[_Attend, contextvars.Context]
_CAPACITY = 64  # frames that a reader may be behind before a sender waits


class Pipes:
    """A network of hosts that may be cut between any two of them.

    What is sent over a cut connection arrives after it heals, as with TCP; connecting over a
    cut fails after 5 s.
    """

    def __init__(self) -> None:
        self._serving: dict[str, _Serving] = {}
        self._cuts: set[frozenset[str]] = set()
        self._healed = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Connections live while the block lasts."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                yield
            finally:
                for task in self._tasks:
                    task.cancel()

    def listen(self, address: str, attend: _Attend) -> None:
        """Serve "host:port" with `attend` from now on, in the context of who calls this."""
        self._serving[address] = attend, contextvars.copy_context()

    def unlisten(self, address: str) -> None:
        """Refuse new connections; those that exist stay."""
        self._serving.pop(address, None)

    def cut(self, one: str, other: str) -> None:
        self._cuts.add(frozenset((one, other)))

    def heal(self, one: str, other: str) -> None:
        self._cuts.discard(frozenset((one, other)))
        self._healed.set()
        self._healed = asyncio.Event()

    def connector(self, host: str) -> Connect:
        """How `host` connects."""

        @asynccontextmanager
        async def connect(address: str) -> AsyncIterator[Wire]:
            there = address.rpartition(":")[0]
            try:
                async with asyncio.timeout(HANDSHAKE_SECONDS):
                    await self.passable(host, there)
            except TimeoutError:
                raise StreamEnded(End.UNREACHABLE, f"{address}: did not answer.") from None
            serving = self._serving.get(address)
            if serving is None or self._group is None:
                raise StreamEnded(End.UNREACHABLE, f"{address}: connection refused.")
            attend, context = serving
            ours, theirs = PipeEnd(self, host, there), PipeEnd(self, there, host)
            ours.other, theirs.other = theirs, ours
            task = self._group.create_task(_attend(attend, theirs, host), context=context)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            reason = End.LEAVING
            try:
                yield ours
            except StreamEnded as end:
                reason = end.kind
                raise
            finally:
                await ours.close(reason)

        return connect

    async def passable(self, one: str, other: str) -> None:
        """Waits while the two are cut from each other."""
        while frozenset((one, other)) in self._cuts:
            await self._healed.wait()


class PipeEnd:
    """One end of a connection; a `Wire`."""

    other: "PipeEnd"

    def __init__(self, pipes: Pipes, here: str, there: str) -> None:
        self._pipes = pipes
        self._hosts = here, there
        self._arrived: asyncio.Queue[bytes | int] = asyncio.Queue()
        self._room = asyncio.Semaphore(_CAPACITY)
        self._closed = False

    async def send(self, frame: bytes) -> None:
        if self._closed:
            raise StreamEnded(End.CLOSED, "The connection broke.")
        await self.other.arrive(frame)

    async def arrive(self, frame: bytes) -> None:
        """From the other end; waits while this one does not read."""
        await self._room.acquire()
        self._arrived.put_nowait(frame)

    async def receive(self) -> bytes:
        await self._pipes.passable(*self._hosts)
        found = await self._arrived.get()
        await self._pipes.passable(*self._hosts)
        if isinstance(found, bytes):
            self._room.release()
            return found
        self._arrived.put_nowait(found)  # for whoever asks again
        raise told(found)

    async def close(self, kind: End) -> None:
        if not self._closed:
            self._closed = True
            self.other.hang_up(CLOSE_CODES.get(kind, 1000))

    def hang_up(self, code: int) -> None:
        """The other end was closed."""
        self._arrived.put_nowait(code)


async def _attend(attend: _Attend, wire: PipeEnd, host: str) -> None:
    try:
        await attend(wire, host)
    finally:
        await wire.close(End.CLOSED)
