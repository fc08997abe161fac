"""The pauses in force: who said hands off, of what, and for how long."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from monitor.model.now import Now
from monitor.model.pause import Pause, PauseScope

LONGEST = 366 * 86400.0
"""Seconds: no pause with an end lasts longer."""

MOST = 1000
"""Pauses at the same time."""

_ORDER = tuple(PauseScope)
_KEPT_TEXT = 256


@dataclass(frozen=True, slots=True)
class _Held:
    """`ends` in monotonic seconds, None: when somebody resumes it. began: likewise.

    Its times are kept on the clock that nobody sets: a wall clock that is put right does neither
    lift a pause early nor keep it for ever, nor let it end before it began.
    """

    pause: Pause
    ends: float | None
    began: float

    def over(self, now: Now) -> bool:
        return self.ends is not None and self.ends <= now.mono

    def shown(self, now: Now) -> Pause:
        """With its times as the wall clock has them now."""
        offset = now.wall - now.mono
        until = None if self.ends is None else self.ends + offset
        return replace(self.pause, since=self.began + offset, until=until)


class TooManyPauses(Exception):
    """`str()` says what to do."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Nothing here changes a value; each method returns a new one. Those that are over count
    for nothing, also before they are dropped."""

    _held: tuple[_Held, ...] = ()

    def having(
        self,
        scope: PauseScope,
        name: str,
        seconds: float | None,
        now: Now,
        *,
        note: str = "",
        by: str = "",
    ) -> "Pauses":
        """With this pause, for `seconds` or until resumed (None), in place of one of the same.

        A newer word on the same thing counts, also where it ends earlier. Raises TooManyPauses.
        """
        ends = None if seconds is None else now.mono + min(seconds, LONGEST)
        until = None if seconds is None else now.wall + min(seconds, LONGEST)
        others = self.without(scope, name).current(now)._held  # noqa: SLF001
        if len(others) >= MOST:
            raise TooManyPauses(f"there are {MOST} pauses already: pause everything instead")
        return Pauses(
            (*others, _Held(Pause(scope, name, until, now.wall, note, by), ends, now.mono))
        )

    def without(self, scope: PauseScope, name: str) -> "Pauses":
        return Pauses(
            tuple(h for h in self._held if (h.pause.scope, h.pause.name) != (scope, name))
        )

    def current(self, now: Now) -> "Pauses":
        """Without those that are over."""
        return Pauses(tuple(held for held in self._held if not held.over(now)))

    def shown(self, now: Now) -> tuple[Pause, ...]:
        """Those in force: everything first, then services, then rules, by name."""
        pauses = (held.shown(now) for held in self._held if not held.over(now))
        order = (PauseScope.ALL, PauseScope.SERVICE, PauseScope.RULE)
        return tuple(sorted(pauses, key=lambda pause: (order.index(pause.scope), pause.name)))

    def on(self, service_name: str, rule: str, now: Now) -> Pause | None:
        """The pause that holds this rule off this service longest; None where none does."""
        named = {PauseScope.SERVICE: service_name, PauseScope.RULE: rule, PauseScope.ALL: ""}
        holding = [
            held.shown(now)
            for held in self._held
            if not held.over(now) and named[held.pause.scope] == held.pause.name
        ]
        return max(holding, key=_lasting, default=None)

    def next_end(self, now: Now) -> float | None:
        """The monotonic time at which the next pause ends by itself."""
        ends = (held.ends for held in self._held if held.ends is not None and not held.over(now))
        return min(ends, default=None)

    def as_state(self, now: Now) -> list[dict[str, Any]]:
        """What must survive a restart, as plain JSON values in wall seconds."""
        return [
            {
                "scope": str(pause.scope),
                "name": pause.name,
                "until": pause.until,
                "since": pause.since,
                "note": pause.note,
                "by": pause.by,
            }
            for pause in self.shown(now)
        ]

    @staticmethod
    def from_state(state: Iterable[Mapping[str, Any]], now: Now) -> "Pauses":
        """Reads `as_state`, maybe of another machine whose wall clock is another.

        A pause begins no later than now and lasts no longer than it was asked for, whatever the
        clocks say. What cannot be read is left out: an unknown scope comes of a newer version.
        """
        read = (_read(entry, now) for entry in state)
        return Pauses(tuple(held for held in read if held is not None)[:MOST])


def _lasting(pause: Pause) -> tuple[float, int]:
    end = float("inf") if pause.until is None else pause.until
    return (end, _ORDER.index(pause.scope))


def _read(entry: Mapping[str, Any], now: Now) -> _Held | None:
    try:
        scope = PauseScope(entry["scope"])
        since = float(entry["since"])
        until = None if entry["until"] is None else float(entry["until"])
        texts = [str(entry.get(key, ""))[:_KEPT_TEXT] for key in ("name", "note", "by")]
    except (KeyError, TypeError, ValueError):
        return None
    if not math.isfinite(since) or (until is not None and not math.isfinite(until)):
        return None
    name, note, by = texts
    length = None if until is None else until - since
    since = min(since, now.wall)
    began = now.mono - (now.wall - since)
    if until is None or length is None:
        return _Held(Pause(scope, name, None, since, note, by), None, began)
    left = min(until - now.wall, length, LONGEST)
    if left <= 0:
        return None
    return _Held(Pause(scope, name, now.wall + left, since, note, by), now.mono + left, began)
