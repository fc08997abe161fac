"""Rounding to whole replicas, without the noise of binary fractions.

0.28 / 0.25 * 25 is 28.000000000000004 in binary; that asks for 28 replicas, not 29.
"""

import math

MAX_REPLICAS = 2**31 - 1
_NOISE = 1e-9


def up(value: float) -> int:
    """The least whole number not below `value`, within 0 and MAX_REPLICAS."""
    if value >= MAX_REPLICAS:
        return MAX_REPLICAS
    return max(0, math.ceil(value - _NOISE))


def down(value: float) -> int:
    """The greatest whole number not above `value`, within 0 and MAX_REPLICAS."""
    if value >= MAX_REPLICAS:
        return MAX_REPLICAS
    return max(0, math.floor(value + _NOISE))
