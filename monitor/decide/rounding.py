"""Rounding to whole replicas, without the noise of fractions.

0.28 / 0.25 * 25 is 28.000000000000004 in binary, and a total shared by three tasks does not add
up again to the last digit; both ask for 28 replicas, not 29. How much of a replica is noise, the
tuning says: a millionth, or, as for a HorizontalPodAutoscaler, nothing.
"""

import math

MAX_REPLICAS = 2**31 - 1


def up(value: float, noise: float) -> int:
    """The least whole number not below `value`, within 0 and MAX_REPLICAS."""
    if value >= MAX_REPLICAS:
        return MAX_REPLICAS
    return max(0, math.ceil(value - noise))


def quotient(value: int, divisor: int) -> int:
    """The same of `value / divisor`, exactly: the least load above zero asks for one replica."""
    return min(max(0, -(-value // divisor)), MAX_REPLICAS)


def down(value: float, noise: float) -> int:
    """The greatest whole number not above `value`, within 0 and MAX_REPLICAS."""
    if value >= MAX_REPLICAS:
        return MAX_REPLICAS
    return max(0, math.floor(value + noise))
