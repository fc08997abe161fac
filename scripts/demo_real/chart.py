"""Charts of block characters."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

_BLOCKS = " ▁▂▃▄▅▆▇█"
_KEPT = 600


class History:
    """The last values of a series, one a second or so."""

    def __init__(self) -> None:
        self.values: deque[float] = deque([0.0], maxlen=_KEPT)

    def add(self, value: float) -> None:
        self.values.append(value)

    def last(self, count: int) -> list[float]:
        return list(self.values)[-count:]


def columns(values: Sequence[float], top: float, height: int, width: int) -> list[str]:
    """A column chart of `height` lines, the newest value at the right; `top` fills all lines."""
    eighths = [round(8 * height * min(1.0, max(0.0, value / top))) for value in values]
    lines = []
    for line in range(height - 1, -1, -1):
        cells = "".join(_BLOCKS[min(8, max(0, count - 8 * line))] for count in eighths)
        lines.append(cells.rjust(width))
    return lines


def gauge(share: float, width: int) -> str:
    """A bar of at most `width` characters for a share of 1."""
    return "█" * round(width * min(1.0, max(0.0, share)))
