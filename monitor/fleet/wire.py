"""What carries frames: a WebSocket, or a pipe within one process."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from monitor.fleet.ends import End


class Wire(Protocol):
    """Frames of at most `session.MAX_FRAME` bytes, in order, both ways."""

    async def send(self, frame: bytes) -> None:
        """Waits while the other side does not read. Raises StreamEnded."""

    async def receive(self) -> bytes:
        """Raises StreamEnded, with the meaning of the code that the other side closed with."""

    async def close(self, kind: End) -> None:
        """Tells the other side why, if that can be done within a second or so. Never raises."""


# Opens a wire to "host:port" for as long as the block lasts, and closes it with the kind of the
# StreamEnded that leaves the block. Raises StreamEnded (UNREACHABLE).
Connect = Callable[[str], AbstractAsyncContextManager[Wire]]
