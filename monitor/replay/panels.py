"""Which parts of a replay stand in which chart, and what is drawn in each."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.replay.contest import Contest
from monitor.replay.drive import Step
from monitor.replay.ledger import ideal

DAY = 86400.0
_SPANS = (900.0, 3600.0, 6 * 3600.0, DAY, 7 * DAY, 28 * DAY, 366 * DAY)
_MOST = 14
"""Charts: two weeks of days."""


@dataclass(frozen=True, slots=True)
class Line:
    """A contender in one chart: (wall seconds, running replicas from then on), and its changes."""

    label: str
    supply: tuple[tuple[float, int], ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart, wall seconds. ideal: the highest number of replicas that demand took within
    each of equally long parts. top: of the scale, the same in all panels.
    """

    begin: float
    end: float
    top: int
    ideal: tuple[int, ...]
    lines: tuple[Line, ...]


def panels(contest: Contest, parts: int) -> tuple[Panel, ...]:
    """Days for a week, hours for an hour; `parts` of each for demand."""
    begin, end = contest.trace.times[0], contest.trace.end
    span = next(
        (one for one in _SPANS if (end - begin) / one <= _MOST), math.ceil((end - begin) / _MOST)
    )
    first = begin // span * span if span <= DAY else begin
    count = max(1, math.ceil((end - first) / span))
    top = _top(contest)
    return tuple(
        _panel(contest, first + number * span, first + (number + 1) * span, parts, top)
        for number in range(count)
    )


def whole(contest: Contest, parts: int) -> Panel:
    """All of it in one."""
    return _panel(contest, contest.trace.times[0], contest.trace.end, parts, _top(contest))


def _top(contest: Contest) -> int:
    demand = ideal(contest.trace.peak / contest.terms.per_replica, contest.terms.good_until)
    return max(demand, *(count for run in contest.runs for _, count in run.supply))


def _panel(contest: Contest, begin: float, end: float, parts: int, top: int) -> Panel:
    lines = tuple(
        Line(
            run.label,
            _cut(run.supply, begin, min(end, contest.trace.end)),
            tuple(step for step in run.steps if begin <= step.at < end),
        )
        for run in contest.runs
    )
    return Panel(begin, end, top, _ideal(contest, begin, end, parts), lines)


def _ideal(contest: Contest, begin: float, end: float, parts: int) -> tuple[int, ...]:
    """0 where the trace has not begun or is over."""
    times, values = contest.trace.times, contest.trace.values
    found: list[int] = []
    for part in range(parts):
        since = begin + (end - begin) * part / parts
        until = begin + (end - begin) * (part + 1) / parts
        if until <= times[0] or since >= contest.trace.end:
            found.append(0)
            continue
        first = max(0, bisect_right(times, since) - 1)
        most = max(values[first : max(first + 1, bisect_left(times, until))])
        found.append(ideal(most / contest.terms.per_replica, contest.terms.good_until))
    return tuple(found)


def _cut(
    supply: Sequence[tuple[float, int]], begin: float, end: float
) -> tuple[tuple[float, int], ...]:
    """What was there at `begin`, or at the trace's, and all changes until `end`."""
    times = [at for at, _ in supply]
    first = max(0, bisect_right(times, begin) - 1)
    cut = supply[first : bisect_left(times, end)]
    points = [(max(at, begin), count) for at, count in cut]
    return (*points, (end, points[-1][1])) if points else ()
