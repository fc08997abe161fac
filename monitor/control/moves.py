"""Of which service a task is being moved: there is one at a time in the whole Swarm."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.control.book import Book
from monitor.control.writes import WritesInFlight
from monitor.model.action import RestartTask
from monitor.model.decision import Decision
from monitor.model.service import Service

GIVEN_UP_AFTER = 600.0
"""Seconds after which a moved task that does not come up holds back no other service any more."""


@dataclass(frozen=True, slots=True)
class MovesUnderWay:
    """A move lasts from its order until all tasks of the service were seen to run again.

    What histories say of it outlives the agent, so whoever acts next waits for it, too.
    """

    book: Book
    writes: WritesInFlight

    def other(self, service_id: str, services: Mapping[str, Service], now: float) -> str:
        """The name of another service of which a task is being moved, "" if there is none."""
        for found in self._moving(now):
            if found != service_id and found in services:
                return services[found].name
        return ""

    def _moving(self, now: float) -> Iterable[str]:
        for decision in self.writes.under_way():
            if _moves(decision):
                yield decision.service_id
        for service_id, since in self.book.moving().items():
            if now - since < GIVEN_UP_AFTER:
                yield service_id


def _moves(decision: Decision) -> bool:
    return isinstance(decision.action, RestartTask) and decision.action.move
