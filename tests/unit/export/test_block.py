"""What blocks are packed to is one gzip document of all of them."""

import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from monitor.export.block import Block, crc_of_both


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_the_crc_of_a_whole_follows_from_its_blocks(texts: list[bytes]) -> None:
    """Whatever the texts and however long: as if they were one."""
    crc = 0
    for text in texts:
        _, length, its_crc, shift = Block((text,)).packed
        assert (length, its_crc) == (len(text), zlib.crc32(text))
        crc = crc_of_both(crc, its_crc, shift)
    assert crc == zlib.crc32(b"".join(texts))


def test_a_long_block_counts_too() -> None:
    """Lengths beyond 16 bits, as real blocks have them."""
    first, second = Block((b"a" * 100_000,)), Block((b"b" * 300_001, b"c"))
    crc = crc_of_both(first.packed[2], second.packed[2], second.packed[3])
    assert crc == zlib.crc32(first.text + second.text)


@given(st.lists(st.lists(st.binary(max_size=50), max_size=3), max_size=5))
def test_packed_blocks_unpack_one_after_the_other(texts: list[list[bytes]]) -> None:
    """In any order and any number: none refers to what stands before it."""
    blocks = [Block(lines) for lines in texts]
    for order in (blocks, blocks[::-1], blocks * 2):
        data = b"".join(block.packed[0] for block in order) + b"\x03\x00"
        whole = b"".join(block.text for block in order)
        assert zlib.decompress(data, -zlib.MAX_WBITS) == whole
        tail = zlib.crc32(whole).to_bytes(4, "little") + len(whole).to_bytes(4, "little")
        assert gzip.decompress(b"\x1f\x8b\x08" + bytes(7) + data + tail) == whole


def test_it_is_packed_once() -> None:
    """Asked again, a block gives the very same bytes."""
    block = Block((b"x 1\n",))
    assert not block.is_packed
    assert block.packed[0] is block.packed[0]
    assert block.is_packed
