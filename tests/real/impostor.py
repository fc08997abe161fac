"""What may answer, or connect, in place of an agent: a program for a container's network.

noise PORT                            bytes that are no WebSocket, then WebSocket frames of noise
liar PORT NODE_ID SECRET OWN OTHER    an agent that knows the secret and reports nonsense of its
                                      own task, and believable numbers of another node's
stranger ADDRESS NODE_ID              connects without the secret, several times, and prints as
                                      JSON what it was told each time
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import itertools
import json
import os
import sys
from collections.abc import Iterator

import aiohttp

from monitor.fleet.conversation import Conversation
from monitor.fleet.ends import StreamEnded
from monitor.fleet.messages import spell, spell_about
from monitor.fleet.outbox import Outbox
from monitor.fleet.session import NONCE_BYTES, Hello, Session, Side
from monitor.fleet.stats import Counters
from monitor.fleet.websocket import PATH, listen
from monitor.fleet.wire import Wire
from monitor.model.peer import About

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_EVERY = 0.2
WRONG_PROOFS = 5


async def noise(port: int) -> None:
    """Every second connection is upgraded first, so that the noise is in frames."""
    numbers = itertools.count()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n\r\n")
            if next(numbers) % 2:
                writer.write(_upgrade(request))
                for _ in range(20):
                    writer.write(b"\x82\x7e" + (1000).to_bytes(2, "big") + os.urandom(1000))
            else:
                writer.write(os.urandom(64 * 1024))
            await writer.drain()
            await asyncio.sleep(0.5)
        writer.close()

    server = await asyncio.start_server(answer, "0.0.0.0", port)
    await server.serve_forever()


def _upgrade(request: bytes) -> bytes:
    lines = (line.partition(b": ") for line in request.split(b"\r\n"))
    key = next(value for name, _, value in lines if name.lower() == b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


async def liar(port: int, node_id: str, secret: str, own: str, other: str) -> None:
    """Greets as the node's agent does; all that it then reports of task `own` is nonsense."""
    about = About(node_id, "impostor", "boot-of-the-liar", "worker", "0.1.0", "", False, "", 0)

    async def attend(wire: Wire, _address: str) -> None:
        hello = Hello(node_id, about.boot_id, os.urandom(NONCE_BYTES), about.release)
        conversation = Conversation(wire, Session(Side.AGENT, secret.encode(), hello), Counters())
        with contextlib.suppress(StreamEnded):
            await conversation.shake_hands()
            outbox = Outbox()
            outbox.put_about(spell_about(about))
            talk = asyncio.create_task(_lie(outbox, own, other))
            try:
                await conversation.run(outbox, lambda _: True)
            finally:
                talk.cancel()

    async with listen(attend, "0.0.0.0", port, 16):
        await asyncio.Event().wait()


async def _lie(outbox: Outbox, own: str, other: str) -> None:
    loop = asyncio.get_running_loop()
    outbox.put(spell("table", number=1, tasks=[own, other]))
    for row in itertools.cycle(_rows()):
        now = loop.time()
        honest = [1, now, 0.0, 1.0, 1_000_000, 1_000_000]  # uses nothing
        samples = {"t": "samples", "table": 1, "sent_at": now, "wall": 0.0}
        rows = [[0, now, 0.0, *row], honest]
        outbox.put(json.dumps({**samples, "rows": rows}).encode())
        await asyncio.sleep(_EVERY)


def _rows() -> Iterator[tuple[object, ...]]:
    """CPU seconds, memory and working set that no task can have."""
    nan, infinite = float("nan"), float("inf")
    for cpu in (nan, -1.0, infinite, 1e300, -1e300, "1.0", None, 1e14):
        yield cpu, 1_000_000, 1_000_000
    for memory in (nan, -1, 2**62, 2**70, 1.5, []):
        yield 1.0, memory, 1_000_000
        yield 1.0, 1_000_000, memory


async def stranger(address: str, node_id: str) -> None:
    """Prints a list of {frames, code}: one silent connection, one that skips its proof and goes on
    with samples and a command, and others with a wrong proof."""
    attempts = ["silent", "skip", *["wrong"] * WRONG_PROOFS]
    async with aiohttp.ClientSession() as session:
        told = [await _try(session, address, node_id, attempt) for attempt in attempts]
    print(json.dumps(told))


async def _try(
    session: aiohttp.ClientSession, address: str, node_id: str, attempt: str
) -> dict[str, object]:
    frames: list[str] = []
    async with session.ws_connect(f"http://{address}{PATH}") as socket:
        if attempt != "silent":
            hello = {"t": "hello", "protocol": 1, "release": "0.1.0", "node": node_id}
            hello |= {"boot": "stranger", "nonce": os.urandom(NONCE_BYTES).hex()}
            await socket.send_bytes(json.dumps(hello).encode())
            frames.append((await socket.receive_bytes(timeout=5)).decode())
        if attempt == "wrong":
            await socket.send_bytes(json.dumps({"t": "proof", "mac": "0" * 64}).encode())
        if attempt == "skip":
            samples = spell("samples", table=1, sent_at=1.0, wall=1.0, rows=[])
            command = spell("command", id="1", kind="stop", term=1, expires_in=5, arguments={})
            for content in (samples, command):
                with contextlib.suppress(OSError):
                    await socket.send_bytes(content)
        frames += [repr(message.data) async for message in socket]
        return {"attempt": attempt, "frames": frames, "code": socket.close_code}


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    if kind == "noise":
        asyncio.run(noise(int(rest[0])))
    elif kind == "liar":
        asyncio.run(liar(int(rest[0]), *rest[1:]))
    else:
        asyncio.run(stranger(*rest))
