"""Large JSON arrays, element by element as they arrive, and only what differs from last time.

A Swarm of 10,000 tasks lists some 15 MB every 30 s, of which next to nothing changed. Of each
element its length and the hash of its text are kept with the value that was made of it: where the
same text stands in an answer again, the very same value is given out, and nothing is decoded. The
whole answer is never held in memory, and the event loop has its turn after each piece of it.
"""

import asyncio
import codecs
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from monitor.engine.body import each, guarded
from monitor.ports.errors import BadAnswer

T = TypeVar("T")

Build = Callable[[Mapping[str, Any]], T | None]

_PIECE = 1 << 16
"""Bytes that are taken at once: some fifty tasks, 3 ms where all of them are new."""

_ID = re.compile(r'\{\s*"ID"\s*:\s*"([^"\\]+)"')
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(slots=True)
class Known(Generic[T]):
    """What was made of elements, by their id: (length, hash of the text, value).

    decoded: elements that were not known, so far.
    """

    entries: dict[str, tuple[int, int, T | None]] = field(default_factory=dict)
    decoded: int = 0

    def keep(self, ids: Mapping[str, None]) -> None:
        """Forgets all others."""
        if len(ids) < len(self.entries):
            self.entries = {key: self.entries[key] for key in ids if key in self.entries}


class Elements(Generic[T]):
    """Reads one answer. build: of a decoded element; None is left out, as in `body.each`.

    whole: the answer lists everything there is, so that what it lacks need not be known any more.
    """

    def __init__(self, build: Build[T], known: Known[T], *, whole: bool) -> None:
        self._build = build
        self._known = known
        self._whole = whole
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._decode = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._begun = self._any = self._ended = False
        self._wait_for = 0
        self._found: list[T] = []
        self._seen: dict[str, None] = {}

    async def take(self, chunks: AsyncIterator[bytes], limit: int) -> None:
        """Reads them all; raises BadAnswer where one is no good, or above `limit` bytes."""
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise BadAnswer(f"an answer of more than {limit} bytes")
            for start in range(0, len(chunk), _PIECE):
                guarded(chunk[start : start + _PIECE], self._feed)
                await asyncio.sleep(0)

    async def result(self) -> tuple[T, ...]:
        """All elements; raises BadAnswer where the array has no end."""
        return guarded(self._text.encode(), self._finish)

    def _feed(self, piece: bytes) -> None:
        if self._ended:
            return
        self._text = self._text[self._at :] + self._utf8.decode(piece)
        self._at = 0
        if len(self._text) < self._wait_for:
            return
        if not self._begun:
            start = _skip(self._text, 0)
            if self._text[start : start + 1] != "[":
                return  # nothing, null or no array: the end tells
            self._begun, self._at = True, start + 1
        self._take()
        # An element of many pieces is tried anew only when there is twice as much of it.
        self._wait_for = 2 * (len(self._text) - self._at)

    def _finish(self, left: bytes) -> tuple[T, ...]:
        self._text += self._utf8.decode(b"", final=True)
        if not self._begun:
            return each(left, self._build)
        self._take()
        if not self._ended:
            raise self._fault()
        if self._whole:
            self._known.keep(self._seen)
        return tuple(self._found)

    def _fault(self) -> Exception:
        """Why what is left is no element."""
        start = _skip(self._text, self._at)
        try:
            self._decode(self._text, start)
        except json.JSONDecodeError as error:
            if error.pos < len(self._text) and start < len(self._text):
                return error
        return BadAnswer("an array that is cut off")

    def _take(self) -> None:
        """All elements that are there whole, with the comma or bracket after them."""
        text = self._text
        while not self._ended:
            start = _skip(text, self._at)
            if not self._any and text[start : start + 1] == "]":
                self._ended = True
                return
            end = self._element(text, start)
            if end is None:
                return
            self._at, self._any = end, True

    def _element(self, text: str, start: int) -> int | None:
        """Where the next one begins; None where this one is not there as a whole."""
        found = _ID.match(text, start)
        key = found[1] if found else None
        entry = self._known.entries.get(key) if key is not None else None
        if entry is not None:
            length, digest, known = entry
            end = start + length
            if end < len(text) and hash(text[start:end]) == digest:
                return self._after(text, end, key, known)
        try:
            value, end = self._decode(text, start)
        except json.JSONDecodeError:
            return None
        if _skip(text, end) >= len(text):
            return None
        if not isinstance(value, dict):
            raise BadAnswer(f"an array of objects was expected, not of {type(value).__name__}")
        built = self._build(value)
        self._known.decoded += 1
        if key is not None and key == value.get("ID"):
            key = value["ID"]  # the very text that the value is likely to hold, too
            self._known.entries[key] = end - start, hash(text[start:end]), built
        return self._after(text, end, key, built)

    def _after(self, text: str, end: int, key: str | None, value: T | None) -> int | None:
        position = _skip(text, end)
        match text[position : position + 1]:
            case "]":
                self._ended = True
            case ",":
                pass
            case "":
                return None
            case _:
                raise BadAnswer("an array that is cut off")
        if value is not None:
            self._found.append(value)
        if key is not None:
            self._seen[key] = None
        return position + 1


def _skip(text: str, position: int) -> int:
    if text[position : position + 1] > " ":
        return position
    found = _SPACE.match(text, position)
    return found.end() if found else position
