"""`/metrics`: format by Accept, gzip by Accept-Encoding, single metrics by `name[]`."""

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence

from aiohttp import web

from monitor.export.block import Block, crc_of_both
from monitor.web.keys import STATE
from monitor.web.negotiate import wants_gzip, wants_openmetrics

_CONTENT_TYPES = (
    "text/plain; version=0.0.4; charset=utf-8",
    "application/openmetrics-text; version=1.0.0; charset=utf-8",
)
_MAX_NAMES = 200
_AT_ONCE = 4
"""Blocks that were packed before the event loop has its turn: a millisecond or two."""
_FEW = 8
"""Blocks of a document that is sent in one go."""
_PIECE = 1 << 16
"""Bytes that are sent at once of a larger one."""

_GZIP_HEAD = b"\x1f\x8b\x08" + bytes(6) + b"\xff"  # deflate, no name, no time, no system
_LAST_BLOCK = b"\x03\x00"  # an empty one that says it is the last


async def _gzip(blocks: Sequence[Block]) -> AsyncIterator[bytes]:
    """One gzip document (RFC 1952) of blocks that are each packed once, piece by piece.

    Megabytes take a tenth of a second to pack, so the event loop has its turn in between. In a
    thread of its own it would leave another heap behind, of a size with what it packed.
    """
    yield _GZIP_HEAD
    length, crc, made = 0, 0, 0
    for block in blocks:
        if not block.is_packed:
            made += 1
            if made % _AT_ONCE == 0:
                await asyncio.sleep(0)
        data, size, its_crc, shift = block.packed
        yield data
        length, crc = length + size, crc_of_both(crc, its_crc, shift)
    yield _LAST_BLOCK + struct.pack("<II", crc, length & 0xFFFFFFFF)


async def _plain(blocks: Sequence[Block]) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block.text


async def body_of(blocks: Sequence[Block], *, packed: bool) -> bytes | AsyncIterator[bytes]:
    """What is sent: of few blocks in one go, else in pieces of some size as the client takes
    them, so that a large document is never there whole."""
    pieces = _gzip(blocks) if packed else _plain(blocks)
    if len(blocks) <= _FEW:
        return b"".join([piece async for piece in pieces])
    return _gathered(pieces)


async def _gathered(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    held: list[bytes] = []
    size = 0
    async for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


async def metrics(request: web.Request) -> web.Response:
    openmetrics = wants_openmetrics(request.headers.get("Accept", ""))
    names = frozenset(request.query.getall("name[]", [])[:_MAX_NAMES])
    blocks = await request.app[STATE].metrics(openmetrics=openmetrics, names=names)
    headers = {"Content-Type": _CONTENT_TYPES[openmetrics], "Vary": "Accept, Accept-Encoding"}
    packed = wants_gzip(request.headers.get("Accept-Encoding", ""))
    if packed:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=await body_of(blocks, packed=packed), headers=headers)
