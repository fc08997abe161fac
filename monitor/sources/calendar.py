"""The bounds of scale rules by their schedules, in local time, daylight saving included."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from monitor.model.evidence import Moments
from monitor.model.rule import ScaleRule
from monitor.model.schedule import Schedule

_MARGIN = 4 * 3600.0
"""Seconds before the time that is looked at in which no change of offset may mislead cron."""

_FIRST_LOOK = 3600.0
_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class _Span:
    """Wall seconds, `end` excluded, in which a schedule is active or not throughout."""

    start: float
    end: float
    active: bool


class CronCalendar:
    """A `monitor.ports.bounds.Calendar`.

    A schedule is active at `wall` where one of its cron moments s has s <= wall < s + duration;
    durations are real seconds, whatever the clocks on the wall do meanwhile. Moments follow
    Debian's cron: one that names an hour fires once in a doubled hour (in its first pass) and
    right after a skipped one; those with * as minute or hour go by real time.

    Of several active schedules the last in the list wins, min and max apart. Where that leaves
    a min above the max, the one whose schedule comes later in the list stands and the other
    follows it (the max, where both come from one).

    Spans are kept, so that most questions cost a look-up; they hold for times, not for the
    order in which they are asked for: the wall clock may jump.
    """

    def __init__(self) -> None:
        self._spans: dict[Schedule, _Span] = {}

    def in_force(self, rule: ScaleRule, wall: float) -> ScaleRule:
        """The rule with its bounds at `wall`; the same object where nothing changes them."""
        least, most = (rule.min, -1), (rule.max, -1)
        for place, schedule in enumerate(rule.schedules):
            if not self._span(schedule, wall).active:
                continue
            if schedule.min is not None:
                least = schedule.min, place
            if schedule.max is not None:
                most = schedule.max, place
        if least[0] > most[0]:
            winner = least[0] if least[1] > most[1] else most[0]
            least = most = winner, 0
        if (least[0], most[0]) == (rule.min, rule.max):
            return rule
        return replace(rule, min=least[0], max=most[0])

    def next_change(self, rule: ScaleRule, wall: float) -> float | None:
        """When to look again: no schedule begins or ends before; None if none ever does."""
        ends = [self._span(schedule, wall).end for schedule in rule.schedules]
        return min((end for end in ends if end < _NEVER), default=None)

    def active(self, rule: ScaleRule, wall: float) -> tuple[Schedule, ...]:
        """The schedules that are active at `wall`, in the order of the rule's list."""
        return tuple(s for s in rule.schedules if self._span(s, wall).active)

    def moments(self, cron: str, timezone: str, wall: float) -> Moments:
        """The newest moment within a day up to `wall`, and the next one."""
        return Moments(*_around(cron, timezone, wall))

    def _span(self, schedule: Schedule, wall: float) -> _Span:
        span = self._spans.get(schedule)
        if span is None or not span.start <= wall < span.end:
            if len(self._spans) >= _KEPT:
                self._spans.clear()
            span = self._spans[schedule] = _span_at(schedule, wall)
        return span


_NEVER = float("inf")
_LONGEST_LATE = 86400.0
"""Seconds after which no moment is acted on any more."""


def _span_at(schedule: Schedule, wall: float) -> _Span:
    last = _last_moment(schedule, wall)
    if last is not None:
        # Its next moment may come before its end: it is simply looked at again then.
        return _Span(last, last + schedule.duration, active=True)
    following = next((moment for moment in _moments(schedule, wall) if moment > wall), _NEVER)
    return _Span(wall, following, active=False)


def _around(cron: str, timezone: str, wall: float) -> tuple[float | None, float | None]:
    schedule = Schedule(cron, _LONGEST_LATE, timezone)
    following = next((moment for moment in _moments(schedule, wall) if moment > wall), None)
    return _last_moment(schedule, wall), following


def _last_moment(schedule: Schedule, wall: float) -> float | None:
    """The newest moment within `duration` before `wall`.

    Searched forwards from ever further back, for only forwards is cron well defined where
    clocks are put back.
    """
    look = _FIRST_LOOK
    while True:
        back = min(look, schedule.duration)
        newest = None
        for moment in _moments(schedule, wall - back):
            if moment > wall:
                break
            if moment > wall - back:
                newest = moment
        if newest is not None:
            return newest
        if back >= schedule.duration:
            return None
        look *= 8


def _moments(schedule: Schedule, since: float) -> Iterator[float]:
    """In order, from some time before `since` on; none for a cron or zone that is not one."""
    try:
        start = datetime.fromtimestamp(since - _MARGIN, UTC).astimezone(ZoneInfo(schedule.timezone))
        moments = CronSim(schedule.cron, start)
    except (CronSimError, ValueError, OSError, LookupError, OverflowError):
        return
    for moment in moments:
        yield moment.timestamp()
