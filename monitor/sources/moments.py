"""The newest and the next moment of a cron condition."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from monitor.model.condition import Cron
from monitor.model.evidence import Moments

_MARGIN = 4 * 3600.0
"""Seconds before the time that is looked at in which no change of offset may mislead cron."""

_KEPT = 1000


class CronMoments:
    """Kept until the next one comes, so that most questions cost a look-up."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Moments]] = {}

    def of(self, condition: Cron, wall: float) -> Moments:
        """last: the newest within `condition.within` before `wall`, None where there was none."""
        since, known = self._known.get(condition.key, (0.0, Moments()))
        stale = known.next is None or not since <= wall < known.next
        if condition.key not in self._known or stale:
            if len(self._known) >= _KEPT:
                self._known.clear()
            known = _moments(condition, wall)
            self._known[condition.key] = (wall, known)
        return known


def _moments(condition: Cron, wall: float) -> Moments:
    """Searched forwards: only so is cron well defined where clocks are put back."""
    begin = wall - condition.within - _MARGIN
    try:
        start = datetime.fromtimestamp(begin, UTC).astimezone(ZoneInfo(condition.timezone))
        coming = CronSim(condition.cron, start)
    except (CronSimError, ValueError, OSError, LookupError, OverflowError):
        return Moments()
    last = None
    for moment in coming:
        at = moment.timestamp()
        if at > wall:
            return Moments(last, at)
        if at > wall - condition.within:
            last = at
    return Moments(last)
