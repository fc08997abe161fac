"""A Unix socket in front of an engine's that can cut its answers off in the middle."""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import threading
from pathlib import Path
from typing import Self

# Within the status line, the headers, a short body, and a long one.
_LIVES = (9, 120, 350, 1500)


class CuttingProxy:
    """Passes bytes on; while it cuts, each connection ends after its first few bytes.

    cuts: connections that were ended in the middle.
    """

    def __init__(self, engine: Path, path: Path) -> None:
        self.cuts = 0
        self.path = path
        self._engine = engine
        self._cutting = False
        self._lives = itertools.cycle(_LIVES)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    def cut(self) -> None:
        """From now on; connections that are open, streams too, end with their next bytes."""
        self._cutting = True

    def heal(self) -> None:
        self._cutting = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for thread in list(self._threads):
            thread.join(5)
        self._listener.close()
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while not self._closing.is_set():
            if not select.select([self._listener], [], [], 0.2)[0]:
                continue
            client, _ = self._listener.accept()
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads = [t for t in self._threads if t.is_alive()] + [thread]
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        engine = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Either side may go away: the other one sees its connection close.
        with client, engine, contextlib.suppress(OSError):
            engine.connect(str(self._engine))
            self._relay(client, engine)

    def _relay(self, client: socket.socket, engine: socket.socket) -> None:
        left = next(self._lives)
        while not self._closing.is_set():
            readable = select.select([client, engine], [], [], 0.2)[0]
            if client in readable:
                chunk = client.recv(1 << 16)
                if not chunk:
                    return
                engine.sendall(chunk)
            if engine in readable:
                chunk = engine.recv(1 << 16)
                if not chunk:
                    return
                if self._cutting and len(chunk) >= left:
                    client.sendall(chunk[:left])
                    self.cuts += 1
                    return
                left -= len(chunk) if self._cutting else 0
                client.sendall(chunk)
