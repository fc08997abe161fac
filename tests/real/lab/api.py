"""One call to an engine's socket, with a deadline, from the standard library alone.

The lab must not lean on the product's own client: it would then agree with its mistakes.
"""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any


class ApiError(RuntimeError):
    """The engine answered with an error status; `status` holds it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def call(path: Path, method: str, url: str, body: Any = None, *, timeout: float = 30) -> Any:
    """Send one request and return the parsed answer (text where it is not JSON).

    `body` is sent as it is when it is bytes (a tar), else as JSON. `timeout` is in seconds, per
    socket operation. Raises ApiError on status 400 and above, OSError where nobody answers.
    """
    is_tar = isinstance(body, bytes)
    payload = body if is_tar or body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/x-tar" if is_tar else "application/json"}
    connection = _UnixConnection(path, timeout)
    try:
        connection.request(method, url, body=payload, headers=headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
    except http.client.HTTPException as error:
        raise ConnectionError(f"{path}: {error!r}") from error
    finally:
        connection.close()
    parsed = _parse(text)
    if response.status >= 400:
        message = parsed.get("message", text) if isinstance(parsed, dict) else text
        raise ApiError(response.status, str(message))
    return parsed


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
