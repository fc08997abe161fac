"""What is remembered of each rule and service: histories, and decisions for `why`."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from monitor.control.survivors import alike, surviving
from monitor.decide import Recorded, not_written, record_version, written
from monitor.model.decision import Decision
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind

KEPT = 100
"""Decisions kept per service and rule."""


RECORDED = 3
"""Of how many of them, the newest, the inputs are kept whole."""

DEEDS = 5
"""Decisions that acted kept per service and rule whatever came after them, and for successors."""

MOST_DEEDS = 300
"""Of all services and rules together for successors."""

BYGONE_FOR = 86400.0
"""Seconds for which it is remembered what was done to a service that went away, or by a rule that
is not about it any more: both may come back, and with them no cooldown is to be forgotten."""

MOST_BYGONES = 5000


@dataclass(slots=True)
class Entry:
    """One decision, or a run of equal ones: the newest, since when, how many, what became of it.

    recorded: all that the newest was decided on, None where that is not kept any more.
    """

    decision: Decision
    since: Now
    repeats: int = 1
    outcome: Outcome | None = None
    recorded: Recorded | None = None


def _same(one: Decision, other: Decision) -> bool:
    """Whether the second says nothing new, so that it may take the first one's place."""
    return (one.reason, one.current, one.desired, one.action) == (
        other.reason,
        other.current,
        other.desired,
        other.action,
    )


Key = tuple[str, str]
"""Service id and rule name; of a node rule, the node's id."""


@dataclass(slots=True)
class Book:
    """changes: counts what was changed of that which outlives the agent."""

    changes: int = 0
    _histories: dict[Key, History] = field(default_factory=dict)
    _entries: dict[Key, deque[Entry]] = field(default_factory=dict)
    _rules_of: dict[str, dict[str, None]] = field(default_factory=dict)  # by service, of _entries
    _deeds: dict[Key, deque[Entry]] = field(default_factory=dict)
    _bygones: dict[Key, tuple[History, float]] = field(default_factory=dict)
    _parked: dict[str, tuple[str, int]] = field(default_factory=dict)
    _moving: dict[str, tuple[str, float]] = field(default_factory=dict)

    def history(self, service_id: str, rule: str, own_version: int | None = None) -> History:
        """own_version: the newest version of the service that is known to be our own write."""
        history = self._histories.get((service_id, rule))
        if history is None:
            history = self._bygones.get((service_id, rule), (History(), 0.0))[0]
        if own_version is not None and own_version > (history.own_version or -1):
            return record_version(history, own_version)
        return history

    def knows(self, service_id: str, rule: str) -> bool:
        """Whether there is a history of this rule and service."""
        return (service_id, rule) in self._histories

    def keep_history(self, service_id: str, rule: str, history: History) -> None:
        known = self._histories.get((service_id, rule))
        if known is None:
            self._bygones.pop((service_id, rule), None)
        if known is None or not alike(known, history):
            self.changes += 1
        self._histories[service_id, rule] = history
        if history.course.parked is not None:
            self._parked[service_id] = (rule, history.course.parked)
        elif self._parked.get(service_id, ("", 0))[0] == rule:
            del self._parked[service_id]
        if history.course.moves_needed is not None:
            self._moving[service_id] = (rule, max(history.restarts, default=0.0))
        elif self._moving.get(service_id, ("", 0.0))[0] == rule:
            del self._moving[service_id]

    def parked(self, service_id: str) -> tuple[str, int] | None:
        """The rule that parked the service, and the replicas before; None: none did."""
        return self._parked.get(service_id)

    def moving(self) -> Mapping[str, float]:
        """Services of which a task was moved and not all were seen to run since: since when."""
        return {service_id: at for service_id, (_, at) in self._moving.items()}

    def restarted(self) -> Mapping[str, float]:
        """Services, and nodes, that rules acted on without scaling: when they did last."""
        found: dict[str, float] = {}
        known = [*self._histories.items()]
        known += [(key, history) for key, (history, _) in self._bygones.items()]
        for (service_id, _), history in known:
            if history.restarts:
                found[service_id] = max(found.get(service_id, 0.0), history.restarts[-1])
        return found

    def histories(self) -> Mapping[Key, History]:
        """Those of rules that are about a service now."""
        return self._histories

    def bygones(self, now: float) -> Mapping[Key, tuple[History, float]]:
        """Those of services and rules that are gone, each with the monotonic time since when."""
        over = [key for key, (_, gone) in self._bygones.items() if gone <= now - BYGONE_FOR]
        for key in over:
            del self._bygones[key]
        while len(self._bygones) > MOST_BYGONES:
            del self._bygones[min(self._bygones, key=lambda key: self._bygones[key][1])]
        return self._bygones

    def take_over(self, key: Key, history: History, gone: float) -> None:
        """A history that another agent kept of what is not known here (yet)."""
        self._bygones[key] = (history, gone)

    def deeds(self) -> list[Entry]:
        """The newest decisions that acted, of all rules and services, newest first."""
        found = [entry for entries in self._deeds.values() for entry in entries]
        found.sort(key=lambda entry: entry.decision.time.mono, reverse=True)
        return found[:MOST_DEEDS]

    def take_over_deeds(self, deeds: Iterable[Entry]) -> None:
        """Decisions that other agents made; the newest of those and of the own ones are kept."""
        merged = {entry.decision.id: entry for entry in self.deeds()}
        merged |= {entry.decision.id: entry for entry in deeds}
        self._deeds.clear()
        ordered = sorted(merged.values(), key=lambda entry: entry.decision.time.mono)
        for entry in ordered[-MOST_DEEDS:]:
            self._note_deed(entry)

    def _note_deed(self, entry: Entry) -> None:
        key = (entry.decision.subject_id, entry.decision.rule)
        self._deeds.setdefault(key, deque(maxlen=DEEDS)).append(entry)

    def record(self, decision: Decision, recorded: Recorded | None = None) -> bool:
        """Keeps a decision. Returns whether it says something new.

        A decision that acts is always an entry of its own.
        """
        key = (decision.subject_id, decision.rule)
        entries = self._entries.get(key)
        if entries is None:
            entries = self._entries[key] = deque(maxlen=KEPT)
            self._rules_of.setdefault(key[0], {})[key[1]] = None
        newest = entries[-1] if entries else None
        if newest is not None and decision.action is None and _same(newest.decision, decision):
            newest.decision, newest.recorded = decision, recorded
            newest.repeats += 1
            return False
        entries.append(Entry(decision, decision.time, recorded=recorded))
        if decision.action is not None:
            self._note_deed(entries[-1])
        if len(entries) > RECORDED:
            entries[-RECORDED - 1].recorded = None
        return True

    def load(self, key: Key, entries: Iterable[Entry]) -> None:
        """What an earlier run of this agent kept, oldest first; nothing where it is known."""
        self._entries.setdefault(key, deque(entries, maxlen=KEPT))
        self._rules_of.setdefault(key[0], {})[key[1]] = None

    def note_outcome(self, decision: Decision, outcome: Outcome) -> None:
        """What became of a decision that acted; one forgotten meanwhile stays forgotten."""
        key = (decision.subject_id, decision.rule)
        for entry in (*self._entries.get(key, ()), *self._deeds.get(key, ())):
            if entry.decision.id == decision.id and entry.outcome != outcome:
                self.changes += 1
                entry.outcome = outcome
                entry.decision = (
                    written(entry.decision)
                    if outcome.kind is OutcomeKind.APPLIED
                    else not_written(entry.decision, outcome.detail)
                )

    def entries(self, service_name: str | None = None, rule: str | None = None) -> list[Entry]:
        """Entries of all, one service or one rule, newest first; what other agents did along."""
        found = [
            entry
            for key in self._entries
            for entry in self._of(key)
            if service_name in (None, entry.decision.subject_name)
            and rule in (None, entry.decision.rule)
        ]
        return sorted(found, key=lambda entry: entry.decision.time.mono, reverse=True)

    def _of(self, key: Key) -> list[Entry]:
        own = self._entries[key]
        known = {entry.decision.id for entry in own if entry.decision.action is not None}
        deeds = (one for one in self._deeds.get(key, ()) if one.decision.id not in known)
        return [*own, *deeds]

    def latest(self) -> list[Entry]:
        """The newest entry of every rule and service."""
        return [entries[-1] for entries in self._entries.values() if entries]

    def forget_service(self, service_id: str, now: float) -> None:
        """`now` in monotonic seconds: what outlives the agent outlives the service for a while."""
        for key in [key for key in self._histories if key[0] == service_id]:
            self._let_go(key, now)
        self._rules_of.pop(service_id, None)
        for known in (self._entries, self._deeds):
            for key in [key for key in known if key[0] == service_id]:
                del known[key]

    def keep_rules(self, service_id: str, rules: Iterable[str], now: float) -> list[Decision]:
        """Forgets rules that are not about this service any more; returns their last decisions."""
        kept = set(rules)
        gone = [rule for rule in self._rules_of.get(service_id, ()) if rule not in kept]
        last: list[Decision] = []
        for rule in gone:
            key = service_id, rule
            del self._rules_of[service_id][rule]
            last.append(self._entries.pop(key)[-1].decision)
            self._let_go(key, now)
            self._deeds.pop(key, None)
        return last

    def _let_go(self, key: Key, now: float) -> None:
        history = self._histories.pop(key, None)
        if self._moving.get(key[0], ("", 0.0))[0] == key[1]:
            del self._moving[key[0]]
        if history is not None:
            self._bygones[key] = (surviving(history), now)
            self.changes += 1
