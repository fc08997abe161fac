"""The two clocks, read together."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Now:
    """One moment.

    mono: seconds of the event loop's monotonic clock; all ages, windows and cooldowns use it.
    wall: seconds since the epoch; only for people, stored state and schedules.
    """

    mono: float
    wall: float
