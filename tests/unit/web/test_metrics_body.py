"""How a large `/metrics` goes out."""

import gzip
import random

import pytest

from monitor.export.block import Block
from monitor.web.metrics import body_of


def _large() -> list[Block]:
    """100 blocks of 30 kB that a gzip document makes half of."""
    chance = random.Random(1)
    return [Block((chance.randbytes(15_000).hex().encode() + b"\n",)) for _ in range(100)]


@pytest.mark.parametrize("packed", [True, False])
async def test_a_large_document_is_made_as_it_is_taken(packed: bool) -> None:
    """It is never there whole: whoever took a first piece had four blocks packed and no more,
    and all pieces together are the document."""
    blocks = _large()
    body = await body_of(blocks, packed=packed)
    assert not isinstance(body, bytes)
    taken = [await anext(body)]
    assert sum(block.is_packed for block in blocks) == (4 if packed else 0)
    taken += [piece async for piece in body]
    assert max(map(len, taken)) < 100_000
    whole = b"".join(taken)
    assert (gzip.decompress(whole) if packed else whole) == b"".join(one.text for one in blocks)


@pytest.mark.parametrize("packed", [True, False])
async def test_a_small_document_is_sent_in_one_go(packed: bool) -> None:
    """So that its length stands before it."""
    blocks = _large()[:3]
    body = await body_of(blocks, packed=packed)
    assert isinstance(body, bytes)
    assert (gzip.decompress(body) if packed else body) == b"".join(one.text for one in blocks)
