"""Hands off: a service, a rule or everything is left alone until somebody resumes it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

_SHORT = 600.0
"""Seconds below which a pause's end is told to the second."""


class PauseScope(StrEnum):
    SERVICE = "service"
    RULE = "rule"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Pause:
    """`name` of the service or rule, "" for all. `until` in wall seconds, None: until resumed.

    since: wall seconds. by: who asked for it, as they said themselves.
    """

    scope: PauseScope
    name: str = ""
    until: float | None = None
    since: float = 0.0
    note: str = ""
    by: str = ""

    @property
    def what(self) -> str:
        """`service web`, `rule web-load` or `everything`."""
        return "everything" if self.scope is PauseScope.ALL else f"{self.scope} {self.name}"

    @property
    def sentence(self) -> str:
        """`service web is paused by ann until 14:30Z: load test`, a clause without a full stop."""
        by = f" by {self.by}" if self.by else ""
        until = " until somebody resumes it" if self.until is None else f" until {self._end()}"
        note = f": {self.note}" if self.note else ""
        return f"{self.what} is paused{by}{until}{note}"

    def _end(self) -> str:
        """The time of day, with its date where that is not the day of `since`."""
        assert self.until is not None
        short = self.until - self.since < _SHORT
        begin, end = (datetime.fromtimestamp(at, UTC) for at in (self.since, self.until))
        day = "" if begin.date() == end.date() else f"{end:%Y-%m-%d} "
        return f"{day}{end:%H:%M:%S}Z" if short else f"{day}{end:%H:%M}Z"
