"""Stabilization: not every dip is the end of load, nor every peak its begin."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.model.history import Recommendation


@dataclass(frozen=True, slots=True)
class Stabilized:
    """`by`: the newest recommendation that keeps `value` from what was proposed.

    `wait`: seconds until that one leaves its window and `value` may change.
    """

    value: int
    by: Recommendation | None = None
    wait: float | None = None


def stabilize(
    past: Sequence[Recommendation],
    current: int,
    proposed: int,
    *,
    up_window: float,
    down_window: float,
    now: float,
) -> Stabilized:
    """Up to the lowest, down to the highest recommendation of each direction's window.

    The current count moves only as far as it lies outside of those two. A recommendation
    counts while strictly younger than the window (HorizontalPodAutoscaler with `behavior`).
    """
    least = lowest(past, proposed, up_window, now)
    most = highest(past, proposed, down_window, now)
    value = min(max(current, least), most)
    window = down_window if value > proposed else up_window
    return _bound(past, value, proposed, window, now)


def stabilize_down(
    past: Sequence[Recommendation], proposed: int, window: float, now: float
) -> Stabilized:
    """The highest recommendation, whatever the current count is (without `behavior`)."""
    return _bound(past, highest(past, proposed, window, now), proposed, window, now)


def highest(past: Sequence[Recommendation], proposed: int, window: float, now: float) -> int:
    recent = (rec.replicas for rec in past if rec.at > now - window)
    return max(proposed, max(recent, default=proposed))


def lowest(past: Sequence[Recommendation], proposed: int, window: float, now: float) -> int:
    recent = (rec.replicas for rec in past if rec.at > now - window)
    return min(proposed, min(recent, default=proposed))


def _bound(
    past: Sequence[Recommendation], value: int, proposed: int, window: float, now: float
) -> Stabilized:
    """Names what keeps `value` from `proposed`: the newest that is as far off, or farther."""
    if value == proposed:
        return Stabilized(value)
    recent = [rec for rec in past if rec.at > now - window]
    if value > proposed:
        binding = [rec for rec in recent if rec.replicas >= value]
    else:
        binding = [rec for rec in recent if rec.replicas <= value]
    newest = max(binding, key=lambda rec: rec.at)
    return Stabilized(value, newest, newest.at + window - now)
