"""One end of a stream, spoken by hand."""

import asyncio
from collections.abc import Awaitable, Callable

from monitor.fleet.ends import End, StreamEnded
from monitor.fleet.session import Session, Side
from monitor.fleet.wire import Wire
from tests.unit.fleet.build import SECRET, hello

Attend = Callable[[Wire, str], Awaitable[None]]


async def end_of(wire: Wire) -> End:
    try:
        while True:
            await wire.receive()
    except StreamEnded as end:
        return end.kind


async def greet(wire: Wire, session: Session) -> None:
    for frame in session.start():
        await wire.send(frame)
    while not session.established:
        for frame in session.greet(await wire.receive()):
            await wire.send(frame)


def raving(*contents: bytes) -> Attend:
    """An agent that knows the secret and then says `contents` each second."""

    async def rave(wire: Wire, host: str) -> None:
        session = Session(Side.AGENT, SECRET, hello("w1"))
        await greet(wire, session)
        while True:
            for content in contents:
                await wire.send(session.seal(content))
            await asyncio.sleep(1)

    return rave
