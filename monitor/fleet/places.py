"""How many connections are served at once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from monitor.fleet.ends import End, StreamEnded

MAX_CONNECTIONS = 64
MAX_STRANGERS = 16
MAX_OF_ONE_HOST = 4


class Places:
    """At most 64 connections, of which at most 16, and 4 of one host, have not proved themselves
    yet.

    So one host that keeps connections open without a proof keeps no manager out.
    """

    def __init__(self) -> None:
        self._all = 0
        self._strangers: Counter[str] = Counter()

    @contextmanager
    def any(self) -> Iterator[None]:
        """A place for one connection. Raises StreamEnded (FULL)."""
        if self._all >= MAX_CONNECTIONS:
            raise StreamEnded(End.FULL, f"{MAX_CONNECTIONS} connections are served already.")
        self._all += 1
        try:
            yield
        finally:
            self._all -= 1

    @contextmanager
    def stranger(self, host: str) -> Iterator[None]:
        """Within it, one from `host` among the strangers, until it has proved itself."""
        if self._strangers.total() >= MAX_STRANGERS or self._strangers[host] >= MAX_OF_ONE_HOST:
            raise StreamEnded(End.FULL, "Others are proving themselves already.")
        self._strangers[host] += 1
        try:
            yield
        finally:
            self._strangers[host] -= 1
            if not self._strangers[host]:
                del self._strangers[host]
