"""What share of its CPU each running replica used, over any time that is not long past."""

import math
from bisect import bisect_right

KEPT = 3700.0
"""Seconds: longer than any window of a rule."""

_PRUNE_AT = 4096


class Levels:
    """A step function of time and its integral; seconds."""

    def __init__(self, begin: float) -> None:
        self._times = [begin]
        self._levels = [0.0]
        self._sums = [0.0]

    def set(self, at: float, level: float) -> None:
        """From `at` on, which is never earlier than the last one."""
        self._sums.append(self.integral(at))
        self._times.append(at)
        self._levels.append(level)
        if len(self._times) > _PRUNE_AT:
            first = max(0, bisect_right(self._times, at - KEPT) - 1)
            del self._times[:first], self._levels[:first], self._sums[:first]

    def at(self, time: float) -> float:
        return self._levels[max(0, bisect_right(self._times, time) - 1)]

    def integral(self, until: float) -> float:
        """From the beginning on."""
        place = max(0, bisect_right(self._times, until) - 1)
        return self._sums[place] + self._levels[place] * (until - self._times[place])

    def turn(self, now: float, window: float) -> float:
        """Until when the mean over `window` seconds goes one way, if the level stays as it is.

        It goes from what leaves the window towards what comes in: another way, perhaps, once a
        change leaves it that is not the last one.
        """
        place = bisect_right(self._times, now - window)
        return self._times[place] + window if place < len(self._times) - 1 else math.inf

    def mean(self, begin: float, end: float) -> float:
        """`begin` and `end` may be the same moment."""
        if end <= begin:
            return self.at(end)
        return (self.integral(end) - self.integral(begin)) / (end - begin)
