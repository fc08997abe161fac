"""Answers' bodies: read with a bound, decoded without holding up the loop."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from monitor.ports.errors import BadAnswer

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_OFF_LOOP_ABOVE = 1 << 20  # bytes; decoding 1 MB takes some 10 ms


class Reader(Protocol[T_co]):
    """Takes one body in and makes something of it; both raise BadAnswer."""

    async def take(self, chunks: AsyncIterator[bytes], limit: int) -> None:
        """The body in pieces, of at most `limit` bytes in all."""

    async def result(self) -> T_co: ...


class Whole(Generic[T]):
    """A Reader that has the whole body parsed at once."""

    def __init__(self, parser: Callable[[bytes], T]) -> None:
        self._parser = parser
        self._body = b""

    async def take(self, chunks: AsyncIterator[bytes], limit: int) -> None:
        self._body = await gather(chunks, limit)

    async def result(self) -> T:
        return await parse(self._body, self._parser)


async def gather(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    """All of a body; raises BadAnswer above `limit` bytes."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise BadAnswer(f"an answer of more than {limit} bytes")
    return bytes(body)


async def parse(body: bytes, parser: Callable[[bytes], T]) -> T:
    """`parser(body)`, in a thread where the body is large; raises BadAnswer where it is no good."""
    if len(body) <= _OFF_LOOP_ABOVE:
        return guarded(body, parser)
    return await asyncio.to_thread(guarded, body, parser)


def guarded(body: bytes, parser: Callable[[bytes], T]) -> T:
    """`parser(body)` with every way in which JSON can be bad as BadAnswer."""
    try:
        return parser(body)
    except ValueError as error:  # JSONDecodeError, UnicodeDecodeError, numbers of 5,000 digits
        what = "an empty answer" if not body.strip() else f"not JSON: {error}"
        raise BadAnswer(what) from error
    except RecursionError as error:
        raise BadAnswer("JSON nested too deeply") from error


def one(body: bytes) -> dict[str, Any]:
    """A body that must be one JSON object."""
    value = json.loads(body)
    if not isinstance(value, dict):
        raise BadAnswer(f"a JSON object was expected, not {type(value).__name__}")
    return value


def each(body: bytes, build: Callable[[Mapping[str, Any]], T | None]) -> tuple[T, ...]:
    """A body that must be a JSON array of objects, each turned into a value; None is left out.

    Decodes one element after the other: a single decoding call would not give the interpreter's
    lock back before its end, so a thread of its own would hold up the loop all the same.
    """
    text = body.decode()
    found: list[T] = []
    position = _skip(text, 0)
    if text[position:].strip() == "null":  # a nil slice in Go
        return ()
    if text[position : position + 1] != "[":
        json.loads(text)  # says where it is not JSON
        raise BadAnswer("a JSON array was expected")
    decode = json.JSONDecoder().raw_decode
    position = _skip(text, position + 1)
    if text[position : position + 1] == "]":
        return ()
    while True:
        value, position = decode(text, position)
        if not isinstance(value, dict):
            raise BadAnswer(f"an array of objects was expected, not of {type(value).__name__}")
        built = build(value)
        if built is not None:
            found.append(built)
        position = _skip(text, position)
        match text[position : position + 1]:
            case "]":
                return tuple(found)
            case ",":
                position = _skip(text, position + 1)
            case _:
                raise BadAnswer("an array that is cut off")


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position
