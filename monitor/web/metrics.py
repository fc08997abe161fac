"""`/metrics`: format by Accept, gzip by Accept-Encoding, single metrics by `name[]`."""

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence

from aiohttp import web

from monitor.export.block import Block, crc_of_both, joined
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

_GZIP_HEAD = b"\x1f\x8b\x08" + bytes(6) + b"\xff"  # deflate, no name, no time, no system
_LAST_BLOCK = b"\x03\x00"  # an empty one that says it is the last


async def _gzip(blocks: Sequence[Block]) -> bytes:
    """One gzip document (RFC 1952) of blocks that are each packed once.

    Megabytes take a tenth of a second to pack, so the event loop has its turn in between. In a
    thread of its own it would leave another heap behind, of a size with what it packed.
    """
    parts, length, crc, made = [_GZIP_HEAD], 0, 0, 0
    for block in blocks:
        if not block.is_packed:
            made += 1
            if made % _AT_ONCE == 0:
                await asyncio.sleep(0)
        data, size, its_crc, shift = block.packed
        parts.append(data)
        length, crc = length + size, crc_of_both(crc, its_crc, shift)
    parts += (_LAST_BLOCK, struct.pack("<II", crc, length & 0xFFFFFFFF))
    return b"".join(parts)


async def _sent(blocks: Sequence[Block]) -> AsyncIterator[bytes]:
    """Block by block as the client takes them, so that a large document is never there whole."""
    for block in blocks:
        yield block.text


async def metrics(request: web.Request) -> web.Response:
    openmetrics = wants_openmetrics(request.headers.get("Accept", ""))
    names = frozenset(request.query.getall("name[]", [])[:_MAX_NAMES])
    blocks = await request.app[STATE].metrics(openmetrics=openmetrics, names=names)
    headers = {"Content-Type": _CONTENT_TYPES[openmetrics], "Vary": "Accept, Accept-Encoding"}
    if wants_gzip(request.headers.get("Accept-Encoding", "")):
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=await _gzip(blocks), headers=headers)
    small = len(blocks) <= _FEW
    whole = joined(blocks) if small else _sent(blocks)
    return web.Response(body=whole, headers=headers)
