"""How many connections are served at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from monitor.fleet.ends import End, StreamEnded

MAX_CONNECTIONS = 64
MAX_STRANGERS = 16


class Places:
    """At most 64 connections, of which at most 16 have not proved themselves yet.

    Those that keep many open without a proof can therefore hold up managers for as long as a
    handshake may take, not for good.
    """

    def __init__(self) -> None:
        self._all = 0
        self._strangers = 0

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
    def stranger(self) -> Iterator[None]:
        """Within it, one among the strangers, until it has proved itself."""
        if self._strangers >= MAX_STRANGERS:
            raise StreamEnded(End.FULL, f"{MAX_STRANGERS} connections prove themselves already.")
        self._strangers += 1
        try:
            yield
        finally:
            self._strangers -= 1
