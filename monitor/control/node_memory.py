"""What is remembered of nodes: who drained which until when, and writes whose end is open."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.control.book import Book
from monitor.control.flight import LANDING_DEADLINE
from monitor.control.heritage import Heritage
from monitor.control.marks import Fate, Mark
from monitor.decide import record_write
from monitor.model.action import SetAvailability
from monitor.model.decision import Decision
from monitor.model.node import Availability, Node
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind

Settled = tuple[Decision, Outcome | None]
"""A write and what it came to; None: nobody can tell, somebody wrote after it."""


@dataclass(slots=True)
class NodeMemory:
    """Works on the book and the heritage, which keep nodes beside services, by their ids.

    lost: writes of our own whose answer was lost, by node, with the monotonic time of that.
    """

    book: Book
    heritage: Heritage
    lost: dict[str, tuple[Mark, float]] = field(default_factory=dict)

    def drained(self, nodes: Mapping[str, Node], now: float) -> dict[str, str]:
        """By node the rule that drained it, or may have, and has not taken it back."""
        found = {}
        # Those of agents before us are bygones until somebody asks for them.
        for (node_id, rule), (history, _) in self.book.bygones(now).items():
            if history.course.drained_until is not None and node_id in nodes:
                found[node_id] = rule
        for (node_id, rule), history in self.book.histories().items():
            if history.course.drained_until is not None and node_id in nodes:
                found[node_id] = rule
        lost = (mark for mark, _ in self.lost.values())
        for mark in (*self.heritage.inherited.open(), *lost):
            action, node_id = mark.decision.action, mark.decision.node_id
            drains = isinstance(action, SetAvailability) and (
                action.availability is Availability.DRAIN
            )
            if drains and node_id in nodes:
                found[node_id] = mark.decision.rule
        return found

    def begin(self, decision: Decision) -> None:
        """Its write is about to be sent: whoever comes after us is to know."""
        self.heritage.own[decision.node_id] = Mark(decision, "", -1)
        self.book.changes += 1

    def end(self, decision: Decision, outcome: Outcome, now: Now) -> None:
        """What became of a write of our own, as far as it was told. One that was applied came in
        place of whatever an agent before us was about to write on the same version."""
        mark = self.heritage.own.get(decision.node_id)
        ours = mark is not None and mark.decision.id == decision.id
        if outcome.kind is OutcomeKind.UNKNOWN and mark is not None and ours:
            self.lost[decision.node_id] = (mark, now.mono)
            return
        if outcome.kind is OutcomeKind.APPLIED:
            self.heritage.inherited.forget(decision.node_id)
            self._count(decision, now)
        if ours:
            del self.heritage.own[decision.node_id]
            self.book.changes += 1

    def _count(self, decision: Decision, now: Now) -> None:
        history = self.book.history(decision.node_id, decision.rule)
        counted = record_write(history, decision, now)
        self.book.keep_history(decision.node_id, decision.rule, counted)

    def settle(self, node: Node, now: Now) -> Settled | None:
        """A write, of ours or of an agent before us, of which the node as a manager that answers
        tells it shows what it came to, once; else None."""
        found = self.heritage.inherited.settle_node(node, now.mono)
        if found is not None:
            return self._settled(*found, now)
        mark, since = self.lost.get(node.id, (None, 0.0))
        if mark is None:
            return None
        fate = mark.node_fate(node)
        if fate in (Fate.UNTOLD, Fate.NOT_APPLIED) and now.mono - since <= LANDING_DEADLINE:
            return None
        del self.lost[node.id]
        if self.heritage.is_own(mark.decision):
            del self.heritage.own[node.id]
        elif fate is Fate.OWN:
            fate = Fate.UNTOLD  # taken over by the agent that acts since, and counted there
        self.book.changes += 1
        return self._settled(mark, fate, now)

    def _settled(self, mark: Mark, fate: Fate, now: Now) -> Settled:
        decision = mark.decision
        if fate in (Fate.OWN, Fate.UNKNOWN):
            history = self.book.history(decision.node_id, decision.rule)
            counted = mark.counted(history, now, fate)
            self.book.keep_history(decision.node_id, decision.rule, counted)
        if fate is not Fate.OWN:
            return decision, None
        applied = Outcome(OutcomeKind.APPLIED, "found applied", mark.posted)
        self.book.note_outcome(decision, applied)
        return decision, applied

    def forget(self, node_id: str, now: float) -> None:
        """The node is not part of the Swarm any more."""
        self.lost.pop(node_id, None)
        self.book.forget_service(node_id, now)
        self.heritage.forget(node_id)
