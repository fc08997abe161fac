"""Between which levels of a metric the replicas would stay as they are."""

from dataclasses import dataclass

from monitor.decide.proposal import Counting


@dataclass(frozen=True, slots=True)
class Band:
    """Levels as people read them. `low` is "" where no level however low asks for fewer."""

    low: str
    high: str


def ratios(counting: Counting, counted: int) -> tuple[float, float]:
    """The least and the greatest ratio of usage to target that asks for no change.

    `counted`: the tasks by which the ratio is multiplied. More are wanted once the ratio is
    beyond tolerance and ratio x counted, rounded up, is above the current count; fewer once it
    is beyond tolerance and rounds up to one less. Worked example: 4 tasks, 10 %: 0.75 to 1.1.
    """
    current, tolerance = counting.current, counting.tolerance
    share = current / counted if counted else 1.0
    fewer = max(0.0, (current - 1) / counted) if counted else 0.0
    return min(1.0 - tolerance.down, fewer), max(1.0 + tolerance.up, share)
