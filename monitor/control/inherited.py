"""Writes of other agents whose end nobody wrote down, until the services show what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.control.marks import Fate, Mark
from monitor.model.node import Node
from monitor.model.view import ServiceView

WATCHED = 60.0
"""Seconds for which a write that was not seen may still come: a manager gives up on the raft
leader after 20 s, and a list that was lost is repaired after 30 s."""


@dataclass(slots=True)
class Inherited:
    """By service, at most one each. Monotonic seconds.

    A service that is as it was decided on may be decided on anew at once: whichever of the two
    writes comes first, the other one finds another version and is refused.
    """

    _marks: dict[str, tuple[Mark, float]] = field(default_factory=dict)

    def take(self, marks: Iterable[Mark], now: float) -> None:
        """These, and no others, are what the stored state tells of; one known stays as old."""
        before = self._marks
        self._marks = {}
        for mark in marks:
            known = before.get(mark.decision.subject_id)
            since = known[1] if known and known[0].decision.id == mark.decision.id else now
            self._marks[mark.decision.subject_id] = (mark, since)

    def settle(self, view: ServiceView, now: float) -> tuple[Mark, Fate] | None:
        """A write of which this view tells that it has to be counted, once; else None."""
        mark, _ = self._marks.get(view.service.id, (None, 0.0))
        if mark is None or not view.fresh:
            return None
        return self._settle(view.service.id, mark.fate(view.service), now)

    def settle_node(self, node: Node, now: float) -> tuple[Mark, Fate] | None:
        """As `settle`, of a node as a manager that answers tells it."""
        mark, _ = self._marks.get(node.id, (None, 0.0))
        return None if mark is None else self._settle(node.id, mark.node_fate(node), now)

    def _settle(self, key: str, fate: Fate, now: float) -> tuple[Mark, Fate] | None:
        mark, since = self._marks[key]
        if fate in (Fate.OWN, Fate.APPLIED, Fate.UNKNOWN):
            del self._marks[key]
            return mark, fate
        if now - since > WATCHED:
            del self._marks[key]
        return None

    def forget(self, service_id: str) -> None:
        """The service is gone, or a write of our own came first."""
        self._marks.pop(service_id, None)

    def open(self) -> list[Mark]:
        return [mark for mark, _ in self._marks.values()]
