"""A part of the exposition as it is kept: its lines, and what they are packed.

A gzip document may consist of blocks that were packed each for itself: a block that ends in a full
flush ends on a byte and refers to nothing before it (RFC 1951, 3.2.3), so blocks that did not
change since the last scrape are sent as they were packed then. Only the CRC-32 of the whole has to
be worked out, which follows from those of the blocks and their lengths.
"""

import zlib
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

_POLYNOMIAL = 0xEDB88320  # CRC-32 of RFC 1952, the lowest bit first
_ONE = 1 << 31


class Block:
    """Lines that stand together; never changed once it is made, packed when first asked for.

    From then on only that is held, a fifth of the text or less, and unpacked where it is read.
    """

    __slots__ = ("_ends", "_packed", "_text")

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._text: bytes | None = b"".join(lines)
        self._ends = array("I", accumulate(map(len, lines)))
        self._packed: tuple[bytes, int, int, int] | None = None

    @property
    def is_packed(self) -> bool:
        return self._packed is not None

    @property
    def packed(self) -> tuple[bytes, int, int, int]:
        """As deflate data, with the length and CRC-32 of what it unpacks to, and `_shift` of it.

        Level 1: a fifth of the time of level 9 for a fifth more bytes.
        """
        if self._packed is None:
            text = self.text
            packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
            data = packer.compress(text) + packer.flush(zlib.Z_FULL_FLUSH)
            self._packed = (data, len(text), zlib.crc32(text), _shift(len(text)))
            self._text = None
        return self._packed

    @property
    def text(self) -> bytes:
        if self._text is not None:
            return self._text
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(self.packed[0])

    def lines(self) -> list[bytes]:
        """What it was made of."""
        text = self.text
        return [text[first:end] for first, end in pairwise((0, *self._ends))]

    def __bool__(self) -> bool:
        """Whether there is anything in it."""
        return bool(self._ends) and self._ends[-1] > 0


def joined(blocks: Iterable[Block]) -> bytes:
    """The whole text."""
    return b"".join(block.text for block in blocks)


def crc_of_both(first: int, second: int, shift: int) -> int:
    """The CRC-32 of two texts one after the other from those of each.

    shift: `_shift` of the second's length.
    """
    return _times(shift, first) ^ second


def _times(a: int, b: int) -> int:
    """The product of two polynomials over GF(2), modulo the CRC's; the highest power is bit 0."""
    product, mask = 0, _ONE
    while a:
        if a & mask:
            product ^= b
            a ^= mask
        mask >>= 1
        b = (b >> 1) ^ (_POLYNOMIAL if b & 1 else 0)
    return product


def _squares() -> tuple[int, ...]:
    """x to the power of 8, 16, 32 and so on, modulo the polynomial."""
    found = [_ONE >> 8]
    while len(found) < 32:
        found.append(_times(found[-1], found[-1]))
    return tuple(found)


_SQUARES = _squares()


def _shift(length: int) -> int:
    """x to the power of 8 * `length`, modulo the polynomial: what so many bytes do to a CRC."""
    power = _ONE
    for bit in range(length.bit_length()):
        if length >> bit & 1:
            power = _times(_SQUARES[bit], power)
    return power
