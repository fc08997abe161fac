"""What of a rule's history outlives the agent, as plain JSON in wall seconds, and back.

Recommendations, what holds of tasks and since when a metric fails are not among it: every
manager's agent gathers those itself.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from monitor.control.course_state import decode_course, encode_course
from monitor.decide.course import MAX_RESTARTS
from monitor.decide.flapping import HOUR
from monitor.decide.history import RESTORED_WITHIN
from monitor.model.history import NEW_COURSE, Course, History, ScaleEvent, Seen
from monitor.model.now import Now

LONGEST_COOLDOWN = 86400.0
"""Seconds: no cooldown is longer, so the newest change counts that long; older ones an hour."""

LONGEST_BUDGET = 30 * 86400.0
"""Seconds: no budget of restarts counts over a longer time."""

MOST_EVENTS = 1000
"""Changes of replicas kept of one rule and service; a service has a few a minute at the most."""

_T = TypeVar("_T")

_DIGITS = 4
"""Of a second, so that an age comes back well within a millisecond."""


def surviving(history: History) -> History:
    """The history without what every agent gathers itself."""
    return replace(
        history,
        started=False,
        judged_at=None,
        recommendations=(),
        holding=(),
        failing_since=None,
    )


def survived(own: History, stored: History) -> History:
    """What was stored, with what this agent gathered itself."""
    return replace(
        stored,
        started=own.started,
        judged_at=own.judged_at,
        recommendations=own.recommendations,
        holding=own.holding,
        failing_since=own.failing_since,
    )


def alike(one: History, other: History) -> bool:
    """Whether the same of both survives."""
    return one is other or (
        one.events == other.events
        and one.restarts == other.restarts
        and one.course == other.course
        and one.seen == other.seen
        and one.own_version == other.own_version
        and one.set_by_us == other.set_by_us
        and one.reset == other.reset
        and one.restored == other.restored
        and one.zero_by_user == other.zero_by_user
        and one.scaled_to_zero_by_us == other.scaled_to_zero_by_us
    )


def encode_history(history: History, now: Now) -> dict[str, Any]:
    """Without what is over and what is as in a new history. `now` relates the two clocks."""
    offset = now.wall - now.mono

    def wall(at: float) -> float:
        return round(at + offset, _DIGITS)

    events = _counting(history.events, now.mono)
    seen = history.seen
    found: dict[str, Any] = {
        "events": [[wall(event.at), event.change] for event in events],
        "restarts": [wall(at) for at in history.restarts if at > now.mono - LONGEST_BUDGET],
        "restored": [wall(at) for at in history.restored if at > now.mono - RESTORED_WITHIN],
        "own_version": history.own_version,
        "set_by_us": history.set_by_us,
        "zero_by_us": history.scaled_to_zero_by_us,
        "zero_by_user": history.zero_by_user,
        "reset": history.reset,
        "course": encode_course(history.course, wall),
        "seen": None if seen is None else [seen.version, seen.replicas, seen.template, seen.stack],
    }
    return {
        key: value
        for key, value in found.items()
        if value is not None and value is not False and value not in ([], {})  # but 0 is kept
    }


def decode_history(data: Mapping[str, Any], now: Now) -> tuple[History, int]:
    """The history, and how many entries could not be read and were left out.

    An age is at least 0: what was stored as of later than now has just happened. What has an
    unknown name comes of a newer release and counts for nothing.
    """
    reader = _Reader(now)
    events = reader.each(data, "events", reader.event)
    restarts = sorted(reader.each(data, "restarts", reader.moment))
    restored = sorted(reader.each(data, "restored", reader.moment))
    history = History(
        events=_counting(sorted(events, key=lambda event: event.at), now.mono),
        restarts=tuple(at for at in restarts if at > now.mono - LONGEST_BUDGET)[-MAX_RESTARTS:],
        restored=tuple(at for at in restored if at > now.mono - RESTORED_WITHIN),
        own_version=reader.one(data, "own_version", count),
        set_by_us=reader.one(data, "set_by_us", count),
        scaled_to_zero_by_us=reader.one(data, "zero_by_us", flag) or False,
        zero_by_user=reader.one(data, "zero_by_user", flag) or False,
        reset=reader.one(data, "reset", flag) or False,
        seen=reader.one(data, "seen", _seen),
        course=reader.one(data, "course", reader.course) or NEW_COURSE,
    )
    return history, reader.left_out


def _counting(events: Sequence[ScaleEvent], now: float) -> tuple[ScaleEvent, ...]:
    """Those of the last hour, for rates and changes of direction; the newest for cooldowns."""
    newest = events[-1:] if events and events[-1].at > now - LONGEST_COOLDOWN else ()
    recent = [event for event in events[:-1] if event.at > now - HOUR]
    return (*recent, *newest)[-MOST_EVENTS:]


class _Reader:
    """Reads one entry after the other and counts those that are no such thing."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self.left_out = 0

    def one(self, data: Mapping[str, Any], key: str, read: Callable[[Any], _T]) -> _T | None:
        return None if data.get(key) is None else self._try(data[key], read)

    def each(self, data: Mapping[str, Any], key: str, read: Callable[[Any], _T]) -> list[_T]:
        entries = data.get(key)
        if not isinstance(entries, list):
            self.left_out += entries is not None
            return []
        found = (self._try(entry, read) for entry in entries)
        return [one for one in found if one is not None]

    def _try(self, entry: Any, read: Callable[[Any], _T]) -> _T | None:
        try:
            return read(entry)
        except (ValueError, TypeError, OverflowError):
            self.left_out += 1
            return None

    def moment(self, entry: Any) -> float:
        return moment(entry, self._now)

    def course(self, entry: Any) -> Course:
        return decode_course(entry, self.moment)

    def event(self, entry: Any) -> ScaleEvent:
        at, change = entry
        return ScaleEvent(self.moment(at), whole(change))


def moment(wall: Any, now: Now) -> float:
    """Monotonic seconds of a stored moment, no later than now. ValueError for anything else."""
    if isinstance(wall, bool) or not isinstance(wall, int | float) or not math.isfinite(wall):
        raise ValueError(f"{wall!r} is no time")
    return now.mono - max(now.wall - wall, 0.0)


def whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError(f"{value!r} is no whole number")
    return value


def count(value: Any) -> int:
    if whole(value) < 0:
        raise ValueError(f"{value!r} is less than nothing")
    return int(value)


def flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def _seen(entry: Any) -> Seen:
    version, replicas, template, stack = entry[:4]
    return Seen(count(version), count(replicas), str(template), flag(stack))
