"""What an agent leaves behind for the next one, and what it takes over from the one before.

A state is one JSON object:

    wall        seconds since the epoch when it was made, by the clock of who made it
    decided     how many decisions were made, so that no id comes twice
    services    by service (or node) id and rule name what `survivors.encode_history` gives, and
                `gone`, wall seconds, where that service or rule is not there any more
    marks       writes that were about to be sent; `services` counts them as applied, and `before`
                holds the history without them
    writes      when the writes of the last minute ended, for the ceiling
    pauses      as `Pauses.as_state` gives them
    deeds       the newest decisions that acted, in short, with their outcomes
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.control.book import Book, Entry, Key
from monitor.control.ceiling import WINDOW, WriteCeiling
from monitor.control.inherited import Inherited
from monitor.control.marks import Mark, Shorthand
from monitor.control.pauses import Pauses
from monitor.control.survivors import alike, decode_history, encode_history, moment, survived
from monitor.model.decision import Decision
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind

STEP = 1.0
"""Seconds by which the wall clock has to move against the other before stored times follow it."""


OUTCOME_WITHIN = 5.0
"""Seconds after a decision by which its outcome is stored, unless the agent that sent it ended."""


@dataclass(slots=True)
class Heritage:
    """Works on the book, the ceiling and the marks; pauses go in and out by value.

    own: marks of writes on their way, by service. What is encoded is kept as long as it stays
    the same, so that a state of many services costs what changed, and equal ones are equal.
    """

    book: Book
    ceiling: WriteCeiling
    learned: Callable[[Decision, Outcome | None], None] = lambda *_: None
    inherited: Inherited = field(default_factory=Inherited)
    own: dict[str, Mark] = field(default_factory=dict)
    _short: Shorthand = field(default_factory=Shorthand)
    _offset: float | None = None
    _encoded: dict[Key, tuple[History, dict[str, Any]]] = field(default_factory=dict)
    _deeds: dict[str, tuple[Outcome | None, dict[str, Any]]] = field(default_factory=dict)
    _decoded: dict[Key, tuple[Any, History]] = field(default_factory=dict)
    _decoded_at: float | None = None

    def is_own(self, decision: Decision) -> bool:
        """Whether this decision's write is on its way here and nobody took it over."""
        mark = self.own.get(decision.subject_id)
        return mark is not None and mark.decision.id == decision.id

    def forget(self, service_id: str) -> None:
        """The service is gone, and with it what was about to be written to it."""
        self.own.pop(service_id, None)
        self.inherited.forget(service_id)

    def own_versions(self, now: Now) -> list[tuple[Key, int]]:
        """The newest versions known to be our own, or an earlier agent's, by history."""
        known = dict(self.book.histories())
        known |= {key: history for key, (history, _) in self.book.bygones(now.mono).items()}
        return [(key, h.own_version) for key, h in known.items() if h.own_version is not None]

    def as_state(self, now: Now, pauses: Pauses, decided: int) -> dict[str, Any]:
        """Plain JSON values; parts that did not change are the same objects as last time."""
        now = self._steady(now)
        return {
            "wall": round(now.wall, 3),
            "decided": decided,
            "services": self._services(now),
            "marks": [self._mark(mark, now) for mark in self._open()],
            "writes": [
                round(at + now.wall - now.mono, 3)
                for at in self.ceiling.ended()
                if at > now.mono - WINDOW
            ],
            "pauses": [_steady_times(pause) for pause in pauses.as_state(now)],
            "deeds": self._deeds_of(now),
        }

    def _steady(self, now: Now) -> Now:
        """`now` with the wall clock as it was last time, unless somebody set it since."""
        offset = now.wall - now.mono
        if self._offset is None or abs(offset - self._offset) > STEP:
            self._offset = offset
            self._encoded.clear()
            self._deeds.clear()
        return Now(now.mono, now.mono + self._offset)

    def _open(self) -> list[Mark]:
        """At most one of a service: what we write ourselves comes after what others wrote."""
        marks = {mark.decision.subject_id: mark for mark in self.inherited.open()} | self.own
        return list(marks.values())

    def _services(self, now: Now) -> dict[str, dict[str, Any]]:
        services: dict[str, dict[str, Any]] = {}
        encoded: dict[Key, tuple[History, dict[str, Any]]] = {}
        marks = {mark.decision.subject_id: mark for mark in self._open()}
        for key, history in self.book.histories().items():
            mark = marks.get(key[0])
            if mark is not None and mark.decision.rule == key[1]:
                data = encode_history(mark.counted(history, now), now)
            else:
                known = self._encoded.get(key)
                if known is None or not alike(known[0], history):
                    known = (history, encode_history(history, now))
                encoded[key] = known
                data = known[1]
            if data:
                services.setdefault(key[0], {})[key[1]] = data
        self._encoded = encoded
        for (service_id, rule), (history, gone) in self.book.bygones(now.mono).items():
            mark = marks.get(service_id)
            marked = mark is not None and mark.decision.rule == rule
            counted = mark.counted(history, now) if mark is not None and marked else history
            data = encode_history(counted, now)
            if data:
                data["gone"] = round(gone + now.wall - now.mono)
                services.setdefault(service_id, {})[rule] = data
        return services

    def _mark(self, mark: Mark, now: Now) -> dict[str, Any]:
        before = self.book.history(mark.decision.subject_id, mark.decision.rule)
        return self._short.encode_mark(mark, now) | {"before": encode_history(before, now)}

    def _deeds_of(self, now: Now) -> list[dict[str, Any]]:
        kept: dict[str, tuple[Outcome | None, dict[str, Any]]] = {}
        for entry in self.book.deeds():
            known = self._deeds.get(entry.decision.id)
            if known is None or known[0] != entry.outcome:
                data: dict[str, Any] = {"decision": self._short.encode(entry.decision, now)}
                if entry.outcome is not None:
                    data |= {"outcome": str(entry.outcome.kind), "detail": entry.outcome.detail}
                known = (entry.outcome, data)
            kept[entry.decision.id] = known
        self._deeds = kept
        return [data for _, data in kept.values()]

    def adopt(self, state: Mapping[str, Any], now: Now) -> int:
        """Takes over what is stored; how much of it could not be read is returned.

        now: the moment at which the state is read, as the clock of who made it has it. What this
        agent knows and the state does not tell of stays as it is.
        """
        offset = now.wall - now.mono
        if self._decoded_at is None or abs(offset - self._decoded_at) > STEP:
            # What time it was when that was written is known otherwise, or only now.
            self._decoded_at, self._decoded = offset, {}
        reading = _Reading(state, now, self._short, self._decoded)
        marks = {(m.decision.subject_id, m.decision.rule): (m, h) for m, h in reading.marks()}
        stored = dict(reading.histories())
        stored |= {key: (before, None) for key, (_, before) in marks.items()}
        self._decoded = reading.decoded
        for key, (history, gone) in stored.items():
            if self.book.knows(*key):
                own = self.book.history(*key)
                if not alike(own, history):
                    self.book.keep_history(*key, survived(own, history))
            else:
                self.book.take_over(key, history, now.mono if gone is None else gone)
        self.own.clear()
        self.inherited.take((mark for mark, _ in marks.values()), now.mono)
        sent = [mark.decision.time.mono for mark, _ in marks.values()]
        self.ceiling.take_over([*reading.writes(), *sent])
        known = {entry.decision.id: entry for entry in self.book.deeds()}
        deeds = list(reading.deeds(known))
        self.book.take_over_deeds(deeds)
        for entry in deeds:
            if entry.outcome is not None:
                self.learned(entry.decision, entry.outcome)
        for mark, _ in marks.values():
            if now.mono - mark.decision.time.mono > OUTCOME_WITHIN:
                self.learned(mark.decision, None)
        return reading.left_out


class _Reading:
    """The parts of a state that are what they should be; the others are counted.

    before: histories as they were read last time: what did not change is not read again.
    """

    def __init__(
        self,
        state: Mapping[str, Any],
        now: Now,
        short: Shorthand,
        before: Mapping[Key, tuple[Any, History]],
    ) -> None:
        self._state = state
        self._now = now
        self._short = short
        self._before = before
        self.decoded: dict[Key, tuple[Any, History]] = {}
        self.left_out = 0

    def histories(self) -> Iterator[tuple[Key, tuple[History, float | None]]]:
        for service_id, rules in self._items(self._state.get("services")):
            for rule, data in self._items(rules):
                if not isinstance(data, Mapping):
                    self.left_out += 1
                    continue
                key = (service_id, rule)
                known = self._before.get(key)
                history = known[1] if known and known[0] == data else self._history(data)
                self.decoded[key] = (data, history)
                yield key, (history, self._moment(data.get("gone")))

    def marks(self) -> Iterator[tuple[Mark, History]]:
        for data in self._list("marks"):
            try:
                mark = self._short.decode_mark(data, self._now)
            except ValueError:
                self.left_out += 1
                continue
            before = data.get("before")
            if isinstance(before, Mapping):
                yield mark, self._history(before)
            else:
                self.left_out += 1

    def writes(self) -> list[float]:
        times = (self._moment(wall) for wall in self._list("writes"))
        return [at for at in times if at is not None]

    def deeds(self, known: Mapping[str, Entry]) -> Iterator[Entry]:
        """Those that are known with this outcome are not read again."""
        for data in self._list("deeds"):
            try:
                entry = known.get(data["decision"]["id"])
                if entry is not None and entry.outcome == _outcome(data):
                    continue
                decision = self._short.decode(data.get("decision"), self._now)
                yield Entry(decision, decision.time, outcome=_outcome(data))
            except (ValueError, KeyError, TypeError, AttributeError):
                self.left_out += 1

    def _history(self, data: Mapping[str, Any]) -> History:
        history, left_out = decode_history(data, self._now)
        self.left_out += left_out
        return history

    def _moment(self, wall: Any) -> float | None:
        if wall is None:
            return None
        try:
            return moment(wall, self._now)
        except ValueError:
            self.left_out += 1
            return None

    def _items(self, value: Any) -> list[tuple[str, Any]]:
        if isinstance(value, Mapping):
            return list(value.items())
        self.left_out += value is not None
        return []

    def _list(self, key: str) -> list[Any]:
        value = self._state.get(key)
        if isinstance(value, list):
            return value
        self.left_out += value is not None
        return []


def _steady_times(pause: Mapping[str, Any]) -> dict[str, Any]:
    """To the millisecond: the end of a pause is reckoned from the clocks, and jitters with them."""
    return {k: round(v, 3) if isinstance(v, float) else v for k, v in pause.items()}


def _outcome(data: Mapping[str, Any]) -> Outcome | None:
    if data.get("outcome") is None:
        return None
    return Outcome(OutcomeKind(data["outcome"]), str(data.get("detail", "")))
