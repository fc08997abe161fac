"""Tells what notes the ends of tasks which restarts were a rule's."""

from monitor.cluster.ends import Ends
from monitor.control.observer import Observer
from monitor.model.action import ForceUpdate
from monitor.model.decision import Decision
from monitor.model.outcome import Outcome, OutcomeKind


class Noting:
    """An Observer that hands everything on."""

    def __init__(self, other: Observer, ends: Ends) -> None:
        self._other = other
        self._ends = ends

    def decided(self, decision: Decision, new: bool) -> None:
        self._other.decided(decision, new)

    def wrote(self, decision: Decision, outcome: Outcome) -> None:
        # Where the answer was lost it may have been applied: a change of that version tells.
        written = outcome.kind in (OutcomeKind.APPLIED, OutcomeKind.UNKNOWN)
        if written and isinstance(decision.action, ForceUpdate):
            self._ends.forced(decision.service_id, decision.version, decision.rule)
        self._other.wrote(decision, outcome)

    def forgot(self, rule: str, service_name: str) -> None:
        self._other.forgot(rule, service_name)
