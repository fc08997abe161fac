"""A server that speaks just enough HTTP to be a broken Engine: wire faults that no engine makes
on demand. What a healthy engine answers is tried on real ones, in tests/real."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import struct
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from monitor.model.now import Now


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    rest: asyncio.StreamReader  # ends when the other side does


Answer = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class WireEngine:
    """`answers` by path without the version prefix; the last of a list is used for ever."""

    url: str = ""
    api_version: str = "1.41"
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    open_connections: int = 0

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path.endswith(path)]

    def _next(self, path: str) -> Answer:
        parts = path.split("/", 2)
        bare = "/" + parts[2] if parts[1].startswith("v") and len(parts) == 3 else path
        if bare == "/version" and bare not in self.answers:
            return answer({"ApiVersion": self.api_version, "Version": "0"})
        script = self.answers.get(bare)
        if not script:
            return answer({"message": f"no such thing: {bare}"}, status=404)
        return script.pop(0) if len(script) > 1 else script[0]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open_connections += 1
        try:
            while True:
                request = await _read(reader)
                self.requests.append(request)
                await self._next(request.path)(request, writer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, Hangup):
            pass
        finally:
            self.open_connections -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


class Hangup(Exception):
    """Ends the connection after what was written."""


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    length = 0
    for line in lines:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            length = int(value)
    body = await reader.readexactly(length)
    url = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    return Request(method, url.path, query, body, reader)


def raw(data: bytes, *, then_hang_up: bool = False) -> Answer:
    """These bytes, as they are."""

    async def send(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if then_hang_up:
            raise Hangup

    return send


def answer(body: Any, *, status: int = 200, kind: str = "application/json") -> Answer:
    """A whole answer; `body` is sent as it is when it is bytes, else as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n"
    return raw(head.encode() + data)


def cut(body: bytes) -> Answer:
    """An answer that promises more than it gives, and hangs up."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body) + 100}\r\n\r\n".encode()
    return raw(head + body, then_hang_up=True)


async def hang(request: Request, _: asyncio.StreamWriter) -> None:
    """Never answers."""
    await request.rest.read()
    raise Hangup


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def event(
    time_ns: int, action: str = "start", actor: str = "c1", kind: str = "container", **more: str
) -> bytes:
    """One event as a line."""
    scope = more.pop("scope", "local")
    found = {"Type": kind, "Action": action, "Actor": {"ID": actor, "Attributes": more}}
    return json.dumps({**found, "scope": scope, "timeNano": time_ns}).encode() + b"\n"


def stream(*data: bytes, end: str = "silent") -> Answer:
    """A chunked answer of these pieces. `end`: silent, clean, cut, or reset (TCP alone)."""

    async def send(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED)
        for piece in data:
            writer.write(chunk(piece))
            await writer.drain()
        if end == "silent":
            await request.rest.read()
        if end == "clean":
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        if end == "reset":
            # Zero linger: the close becomes an RST (socket(7)). What was sent must be read first.
            await asyncio.sleep(0.05)
            own: socket.socket = writer.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Hangup

    return send


@asynccontextmanager
async def wire_engine(*, tcp: bool = False) -> AsyncIterator[WireEngine]:
    """Serves on a Unix socket of its own, or on a free TCP port."""
    engine = WireEngine()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await engine.serve(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(task)

    folder = Path(tempfile.mkdtemp(prefix="wire-", dir="/tmp"))  # short: 107 characters at most
    if tcp:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        engine.url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    else:
        server = await asyncio.start_unix_server(serve, folder / "s")
        engine.url = f"unix://{folder}/s"
    try:
        yield engine
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        shutil.rmtree(folder)


class LoopClock:
    """The loop's own time, and chance that is always the same."""

    def now(self) -> Now:
        return Now(mono=asyncio.get_running_loop().time(), wall=0.0)

    def random(self) -> float:
        return 0.5


async def until(condition: Callable[[], bool], what: str) -> None:
    """Returns once `condition` holds. The bound is there to fail instead of hanging."""
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"waited in vain for {what}")
