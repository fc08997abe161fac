"""The body of `GET /containers/{id}/logs` as lines, in bounded memory."""

import re
from collections import deque
from collections.abc import AsyncIterator, Sequence

from monitor.model.logs import MOST_BYTES, MOST_LINE_BYTES
from monitor.ports.errors import BadAnswer

_HEADER = 8
_STREAMS = 3
_MOST_BODY = 16 << 20
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class LogLines:
    """A `monitor.engine.body.Reader` of the last `lines` lines, stdout and stderr together.

    tty: the container has a terminal, so the body is its output as it is. Else the body is made of
    frames: the stream's number, three zeros and the length in four bytes, before each piece.
    """

    def __init__(self, lines: int, *, tty: bool) -> None:
        self._tty = tty
        self._lines: deque[str] = deque(maxlen=lines)
        self._open = [_Line() for _ in range(_STREAMS)]
        self._header = bytearray()
        self._stream = 0
        self._left = 0

    async def take(self, chunks: AsyncIterator[bytes], limit: int) -> None:
        size, most = 0, min(limit, _MOST_BODY)
        async for chunk in chunks:
            size += len(chunk)
            if size > most:
                raise BadAnswer(f"its last log lines are more than {most} bytes")
            if self._tty:
                self._add(0, chunk)
            else:
                self._unframe(chunk)
        if self._header or self._left:
            raise BadAnswer("the log was cut off in the middle")

    async def result(self) -> Sequence[str]:
        for line in self._open:
            if line.content:
                self._lines.append(line.end())
        kept: deque[str] = deque()
        size = 0
        for text in reversed(self._lines):
            size += len(text.encode())
            if size > MOST_BYTES:
                break
            kept.appendleft(text)
        return tuple(kept)

    def _unframe(self, chunk: bytes) -> None:
        at = 0
        while at < len(chunk):
            if self._left:
                piece = chunk[at : at + self._left]
                self._add(self._stream, piece)
                self._left -= len(piece)
                at += len(piece)
                continue
            missing = _HEADER - len(self._header)
            self._header += chunk[at : at + missing]
            at += missing
            if len(self._header) == _HEADER:
                self._begin(bytes(self._header))
                self._header.clear()

    def _begin(self, header: bytes) -> None:
        if header[0] >= _STREAMS or header[1:4] != b"\0\0\0":
            raise BadAnswer("no log of a container without a terminal")
        self._stream, self._left = header[0], int.from_bytes(header[4:], "big")

    def _add(self, stream: int, piece: bytes) -> None:
        line = self._open[stream]
        first, *others = piece.split(b"\n")
        line.add(first)
        for other in others:
            self._lines.append(line.end())
            line.add(other)


class _Line:
    """One line that is being read; no more of it is kept than will be shown."""

    def __init__(self) -> None:
        self.content = bytearray()
        self._cut = False

    def add(self, piece: bytes) -> None:
        room = MOST_LINE_BYTES - len(self.content)
        self.content += piece[:room]
        self._cut = self._cut or len(piece) > room

    def end(self) -> str:
        text = harmless(bytes(self.content)) + ("…" if self._cut else "")
        self.content.clear()
        self._cut = False
        return text


def harmless(line: bytes) -> str:
    """Text that does nothing to a terminal: colours are left out, other control characters shown as
    the replacement character, as what is no UTF-8."""
    text = _ESCAPES.sub("", line.decode("utf-8", "replace").rstrip("\r"))
    return "".join(one if one.isprintable() or one == "\t" else "\ufffd" for one in text)
