"""A recorded load: what was asked of a service, over time."""

import statistics
from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Trace:
    """`values[i]` holds from `times[i]` until the next time, the last one for `step` seconds.

    times: wall seconds, growing. name: where it comes from, for people. notes: what a reader
    of the figures should know of it, a clause each.
    """

    name: str
    times: tuple[float, ...]
    values: tuple[float, ...]
    notes: tuple[str, ...] = ()

    @property
    def step(self) -> float:
        """The usual seconds between two points; 60 where there is but one."""
        gaps = [later - earlier for earlier, later in pairwise(self.times)]
        return statistics.median(gaps) if gaps else 60.0

    @property
    def end(self) -> float:
        return self.times[-1] + self.step

    @property
    def seconds(self) -> float:
        return self.end - self.times[0]

    @property
    def gaps(self) -> int:
        """Places where three points or more are missing."""
        most = 3 * self.step
        return sum(later - earlier > most for earlier, later in pairwise(self.times))

    @property
    def peak(self) -> float:
        return max(self.values)

    def part(self, begin: float | None, lasting: float | None) -> "Trace":
        """From wall second `begin` for `lasting` seconds; raises ValueError where nothing is."""
        first = 0 if begin is None else bisect_left(self.times, begin)
        start = begin if begin is not None else self.times[0]
        last = len(self.times) if lasting is None else bisect_left(self.times, start + lasting)
        if first >= last:
            raise ValueError(f"{self.name} has no points there")
        return replace(self, times=self.times[first:last], values=self.values[first:last])


def trace_of(name: str, points: list[tuple[float, float]], notes: tuple[str, ...] = ()) -> Trace:
    """Of (wall seconds, value) in order of time."""
    times, values = zip(*points, strict=True)
    return Trace(name, times, values, notes)
