"""A cap on changes of direction: up and down and up again helps nobody.

Only scaling down is held: the way up must stay open whatever happened before.
"""

import itertools
import math
import statistics
from collections.abc import Sequence

from monitor.model.history import ScaleEvent

HOUR = 3600.0
_STEP = 0.05


def turns(events: Sequence[ScaleEvent], now: float) -> int:
    """How often the last hour's changes turned from up to down or back."""
    signs = [event.change > 0 for event in recent(events, now)]
    return sum(one != other for one, other in itertools.pairwise(signs))


def recent(events: Sequence[ScaleEvent], now: float) -> list[ScaleEvent]:
    return [event for event in events if event.at > now - HOUR and event.change]


def wait_before_down(events: Sequence[ScaleEvent], most: int, now: float) -> float | None:
    """Seconds until one more change downwards makes no more than `most` turns within the hour.

    None where that is so now. The change itself is a turn if the last one went up.
    """
    lately = recent(events, now)
    if len(lately) <= most:
        return None
    for index in range(len(lately)):
        rest = lately[index:]
        if turns(rest, now) + (rest[-1].change > 0) <= most:
            return None if index == 0 else lately[index - 1].at + HOUR - now
    return lately[-1].at + HOUR - now


def suggested_tolerance(events: Sequence[ScaleEvent], current: int, now: float) -> float:
    """A tolerance (a share) that would have kept half of the last hour's changes from happening.

    A change of c replicas from n says that load was c / n off its target. The suggestion is the
    median of those, rounded up to the next 5 %. The counts are traced back from `current`, as
    if nobody else had changed them.
    """
    swings = []
    replicas = current
    for event in reversed(recent(events, now)):
        replicas = max(1, replicas - event.change)
        swings.append(abs(event.change) / replicas)
    median = statistics.median(swings) if swings else 0.0
    return max(_STEP, math.ceil(median / _STEP - 1e-9) * _STEP)
