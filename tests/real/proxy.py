"""A Unix socket in front of an engine's that notes every write and lets a test step in between."""

from __future__ import annotations

import json
import re
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

_HEAD_END = b"\r\n\r\n"
_SERVICE = re.compile(r"^/v[0-9.]+/services/([a-z0-9]+)(/update)?$")


@dataclass(slots=True)
class Request:
    """One request about one service, and its answer once that came; monotonic seconds.

    version: the version a write was based on, 0 for a read.
    body: what was posted, parsed. status: None while there is no answer.
    """

    method: str
    service_id: str
    version: int
    body: Any
    at: float
    status: int | None = None
    answer: Any = None
    answered_at: float | None = None


@dataclass(slots=True)
class _Message:
    line: str
    head: bytes
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class EngineProxy:
    """Forwards byte by byte, one request per connection.

    before: called in the request's own thread before a request about a single service goes on;
        the engine does not see it before the call returns. What it raises is kept in `faults`.
    """

    def __init__(self, engine: Path, folder: Path) -> None:
        self.before: Callable[[Request], None] = lambda _: None
        self.writes: list[Request] = []
        self.reads: list[Request] = []
        self.faults: list[BaseException] = []
        self._engine = engine
        self._path = folder / "proxy.sock"
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._path))
        self._listener.listen(64)
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"unix://{self._path}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for thread in list(self._threads):
            thread.join(5)
        self._listener.close()

    def writes_to(self, service_id: str) -> list[Request]:
        """In the order in which they came; also those that were refused."""
        return [write for write in self.writes if write.service_id == service_id]

    def reads_of(self, service_id: str) -> list[Request]:
        """Answered reads of that service alone, in the order of their answers."""
        return [read for read in self.reads if read.service_id == service_id]

    def _accept(self) -> None:
        while not self._closing.is_set():
            if not select.select([self._listener], [], [], 0.2)[0]:
                continue
            client, _ = self._listener.accept()
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads = [t for t in self._threads if t.is_alive()] + [thread]
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
            try:
                message = _read_message(client)
                if message is None:
                    return
                request = _about_a_service(message)
                if request is not None:
                    self._step_in(request)
                engine.connect(str(self._engine))
                engine.sendall(message.head + message.body)
                answer = self._relay(client, engine, keep=request is not None)
                if request is not None:
                    self._note_answer(request, answer)
            except OSError:
                return  # either side went away: the other one sees its connection close

    def _step_in(self, request: Request) -> None:
        if request.method == "POST":
            self.writes.append(request)
        try:
            self.before(request)
        except BaseException as error:
            self.faults.append(error)

    def _relay(self, client: socket.socket, engine: socket.socket, *, keep: bool) -> bytes:
        """Until the engine has said all, or the client is gone; the answer where it is kept."""
        kept = bytearray()
        while not self._closing.is_set():
            readable = select.select([client, engine], [], [], 0.2)[0]
            if engine in readable:
                chunk = engine.recv(1 << 16)
                if not chunk:
                    break
                if keep:
                    kept += chunk
                client.sendall(chunk)
            elif client in readable and not client.recv(1 << 16):
                break
        return bytes(kept)

    def _note_answer(self, request: Request, answer: bytes) -> None:
        head, _, body = answer.partition(_HEAD_END)
        if not body:
            return
        if b"transfer-encoding: chunked" in head.lower():
            body = _unchunk(body)
        request.answer = json.loads(body)
        request.answered_at = time.monotonic()
        request.status = int(head.split(b" ", 2)[1])
        if request.method == "GET":
            self.reads.append(request)


def _read_message(client: socket.socket) -> _Message | None:
    data = b""
    while _HEAD_END not in data:
        chunk = client.recv(1 << 16)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(_HEAD_END)
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (header.partition(":") for header in lines)
    }
    while len(body) < int(headers.get("content-length", 0)):
        body += client.recv(1 << 16)
    # One request per connection: so its end is the connection's, whatever the answer looks like.
    kept = [header for header in lines if not header.lower().startswith("connection:")]
    rewritten = "\r\n".join([line, *kept, "Connection: close"]).encode("latin-1") + _HEAD_END
    return _Message(line, rewritten, body, headers)


def _about_a_service(message: _Message) -> Request | None:
    method, target, _ = message.line.split(" ")
    url = urlsplit(target)
    match = _SERVICE.match(url.path)
    if match is None or (method == "POST") != bool(match[2]):
        return None
    version = int(parse_qs(url.query).get("version", ["0"])[0])
    body = json.loads(message.body) if message.body else None
    return Request(method, match[1], version, body, time.monotonic())


def _unchunk(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        whole, body = whole + body[:length], body[length + 2 :]
        if not length:
            break
    return whole
