"""What waits to be sent on one connection: bounded, whatever the other side does."""

import asyncio
from collections import deque

from monitor.fleet.ends import End, StreamEnded
from monitor.fleet.rows import EncodedReport

MAX_WAITING = 1000
_MAX_BYTES = 4 << 20


class Outbox:
    """Of what is said of oneself, and of samples, the newest alone waits; events, commands and
    results keep their order and number at most 1,000, with at most 4 MiB. One more ends the
    connection (SLOW): a reader that lost some must begin anew, and knows it.
    """

    def __init__(self) -> None:
        self._about: bytes | None = None
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._report: EncodedReport | None = None
        self._table = 0  # the number of the table sent last
        self._filled = asyncio.Event()
        self._end: asyncio.Future[StreamEnded] = asyncio.get_running_loop().create_future()

    def put_about(self, content: bytes) -> None:
        self._about = content
        self._filled.set()

    def put_report(self, report: EncodedReport) -> None:
        self._report = report
        self._filled.set()

    def put(self, content: bytes) -> None:
        if len(self._lines) >= MAX_WAITING or self._bytes + len(content) > _MAX_BYTES:
            self.end(StreamEnded(End.SLOW, "It does not read what it is sent."))
            return
        self._lines.append(content)
        self._bytes += len(content)
        self._filled.set()

    def end(self, reason: StreamEnded) -> None:
        """The connection is to end; only the first reason counts."""
        if not self._end.done():
            self._end.set_result(reason)

    async def ended(self) -> StreamEnded:
        return await asyncio.shield(self._end)

    async def take(self) -> bytes:
        """The next content to send; waits for one. A table goes before the rows that need it."""
        while True:
            content = self._next()
            if content is not None:
                return content
            self._filled.clear()
            await self._filled.wait()

    def _next(self) -> bytes | None:
        if self._about is not None:
            content, self._about = self._about, None
            return content
        if self._lines:
            content = self._lines.popleft()
            self._bytes -= len(content)
            return content
        report = self._report
        if report is None:
            return None
        if report.number != self._table:
            self._table = report.number
            return report.table
        self._report = None
        return report.samples
