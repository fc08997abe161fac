"""What is remembered of each rule and service: histories, and decisions for `why`."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.decide import Recorded, not_written, record_version, written
from monitor.model.decision import Decision
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind

KEPT = 100
"""Decisions kept per service and rule."""


RECORDED = 3
"""Of how many of them, the newest, the inputs are kept whole."""


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


@dataclass(slots=True)
class Book:
    _histories: dict[tuple[str, str], History] = field(default_factory=dict)
    _entries: dict[tuple[str, str], deque[Entry]] = field(default_factory=dict)

    def history(self, service_id: str, rule: str, own_version: int | None = None) -> History:
        """own_version: the newest version of the service that is known to be our own write."""
        history = self._histories.get((service_id, rule), History())
        if own_version is not None and own_version != history.own_version:
            return record_version(history, own_version)
        return history

    def knows(self, service_id: str, rule: str) -> bool:
        """Whether there is a history of this rule and service."""
        return (service_id, rule) in self._histories

    def keep_history(self, service_id: str, rule: str, history: History) -> None:
        self._histories[service_id, rule] = history

    def record(self, decision: Decision, recorded: Recorded | None = None) -> bool:
        """Keeps a decision. Returns whether it says something new.

        A decision that acts is always an entry of its own.
        """
        key = (decision.service_id, decision.rule)
        entries = self._entries.setdefault(key, deque(maxlen=KEPT))
        newest = entries[-1] if entries else None
        if newest is not None and decision.action is None and _same(newest.decision, decision):
            newest.decision, newest.recorded = decision, recorded
            newest.repeats += 1
            return False
        entries.append(Entry(decision, decision.time, recorded=recorded))
        if len(entries) > RECORDED:
            entries[-RECORDED - 1].recorded = None
        return True

    def note_outcome(self, decision: Decision, outcome: Outcome) -> None:
        """What became of a decision that acted; one forgotten meanwhile stays forgotten."""
        for entry in reversed(self._entries.get((decision.service_id, decision.rule), ())):
            if entry.decision.id == decision.id:
                entry.outcome = outcome
                entry.decision = (
                    written(entry.decision)
                    if outcome.kind is OutcomeKind.APPLIED
                    else not_written(entry.decision, outcome.detail)
                )

    def entries(self, service_name: str | None = None, rule: str | None = None) -> list[Entry]:
        """Entries of all, one service or one rule, newest first."""
        found = [
            entry
            for entries in self._entries.values()
            for entry in entries
            if service_name in (None, entry.decision.service_name)
            and rule in (None, entry.decision.rule)
        ]
        return sorted(found, key=lambda entry: entry.decision.time.mono, reverse=True)

    def latest(self) -> list[Entry]:
        """The newest entry of every rule and service."""
        return [entries[-1] for entries in self._entries.values() if entries]

    def forget_service(self, service_id: str) -> None:
        for key in [key for key in self._histories if key[0] == service_id]:
            del self._histories[key]
        for key in [key for key in self._entries if key[0] == service_id]:
            del self._entries[key]

    def keep_rules(self, service_id: str, rules: Iterable[str]) -> list[Decision]:
        """Forgets rules that are not about this service any more; returns their last decisions."""
        kept = set(rules)
        gone = [key for key in self._entries if key[0] == service_id and key[1] not in kept]
        last = [self._entries.pop(key)[-1].decision for key in gone]
        for key in gone:
            self._histories.pop(key, None)
        return last
