"""Tells what notes the ends of tasks which restarts were a rule's."""

from collections.abc import Callable

from monitor.agent.restarts_log import RestartsLog
from monitor.cluster.ends import Ends
from monitor.control.observer import Observer
from monitor.model.action import ForceUpdate, RestartTask
from monitor.model.decision import Decision
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.ports.clock import Clock


class Noting:
    """An Observer that hands everything on.

    on_stop: told the service and the task that a rule had stopped, or may have.
    """

    def __init__(
        self,
        other: Observer,
        ends: Ends,
        on_stop: Callable[[str, str], None] = lambda *_: None,
        restarts: RestartsLog | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._restarts, self._clock = restarts, clock
        self._other = other
        self._ends = ends
        self._on_stop = on_stop

    def decided(self, decision: Decision, new: bool) -> None:
        self._other.decided(decision, new)

    def wrote(self, decision: Decision, outcome: Outcome) -> None:
        # Where the answer was lost it may have been applied: a change of that version tells.
        written = outcome.kind in (OutcomeKind.APPLIED, OutcomeKind.UNKNOWN)
        if written and isinstance(decision.action, ForceUpdate):
            self._ends.forced(decision.service_id, decision.version, decision.rule)
        if written and isinstance(decision.action, RestartTask):
            self._ends.stopped(decision.action.task_id, decision.rule)
            self._on_stop(decision.service_id, decision.action.task_id)
        if self._restarts is not None and self._clock is not None:
            self._restarts.wrote(decision, outcome, self._clock.now())
        self._other.wrote(decision, outcome)

    def forgot(self, rule: str, service_name: str) -> None:
        self._other.forgot(rule, service_name)
