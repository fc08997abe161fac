"""A service's demand over time. Each function takes seconds and returns cores, or a rate."""

import csv
import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

Curve = Callable[[float], float]


def steps(points: Sequence[tuple[float, float]], repeat: float | None = None) -> Curve:
    """Each (from then on, cores); 0 before the first. repeat: seconds until it begins anew."""
    times = [time for time, _ in points]

    def demand(seconds: float) -> float:
        at = seconds % repeat if repeat else seconds
        place = bisect_right(times, at)
        return points[place - 1][1] if place else 0.0

    return demand


def ramp(start: float, end: float, over: float) -> Curve:
    """From `start` to `end` cores within `over` seconds, and `end` from then on."""
    return lambda seconds: start + (end - start) * min(1.0, seconds / over)


def daily(low: float, high: float, period: float, peak: float = 0.5) -> Curve:
    """A sine: `high` at the share `peak` of each period (0.5: at noon), `low` half of it apart."""
    middle, swing = (low + high) / 2, (high - low) / 2
    return lambda seconds: middle + swing * math.cos(math.tau * (seconds / period - peak))


def burst(base: float, peak: float, every: float, lasting: float) -> Curve:
    """`base`, but `peak` in the last `lasting` seconds of each `every`."""
    return lambda seconds: peak if seconds % every >= every - lasting else base


def trace(points: Sequence[tuple[float, float]], repeat: bool = False) -> Curve:
    """Straight lines between points (seconds, cores); the last value holds, or all begins anew."""
    times = [time for time, _ in points]

    def demand(seconds: float) -> float:
        at = seconds % times[-1] if repeat and times[-1] > 0 else seconds
        place = bisect_right(times, at)
        if place in (0, len(points)):
            return points[min(place, len(points) - 1)][1]
        (begin, low), (end, high) = points[place - 1], points[place]
        return low + (high - low) * (at - begin) / (end - begin)

    return demand


def read_trace(path: Path) -> list[tuple[float, float]]:
    """Lines `seconds,value` in order of time, a heading allowed; raises ValueError."""
    points: list[tuple[float, float]] = []
    try:
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise ValueError(f"{path} cannot be read: {words}") from None
    for number, row in enumerate(rows, start=1):
        try:
            seconds, cores = float(row[0]), float(row[1])
        except (ValueError, IndexError):
            if number == 1:
                continue
            raise ValueError(f"{path}:{number}: write two numbers, seconds,value") from None
        if not (math.isfinite(seconds) and 0 <= cores < math.inf):
            raise ValueError(f"{path}:{number}: the value must be a number from 0 on")
        points.append((seconds, cores))
    if not points:
        raise ValueError(f"{path} holds no points: write lines seconds,value")
    if any(later[0] <= earlier[0] for earlier, later in pairwise(points)):
        raise ValueError(f"{path}: the seconds must grow from line to line")
    return points
