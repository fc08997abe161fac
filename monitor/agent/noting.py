"""Tells what notes the ends of tasks which restarts were a rule's."""

from collections.abc import Callable

from monitor.agent.restarts_log import RestartsLog
from monitor.cluster.ends import Ends
from monitor.control.observer import Observer
from monitor.model.action import ForceUpdate, RestartTask
from monitor.model.decision import Decision
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.ports.clock import Clock

_WRITTEN = (OutcomeKind.APPLIED, OutcomeKind.UNKNOWN)


class Noting:
    """An Observer that hands everything on.

    What other agents did counts as well: the event that tells of a signal may be lost, and a task
    that was stopped would pass for one that failed, as soon as this agent is the one that acts.

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
        if outcome.kind in _WRITTEN:
            self._note(decision)
        if self._restarts is not None and self._clock is not None:
            self._restarts.wrote(decision, outcome, self._clock.now())
        self._other.wrote(decision, outcome)

    def learned(self, decision: Decision, outcome: Outcome | None) -> None:
        if outcome is None or outcome.kind in _WRITTEN:
            self._note(decision)
        self._other.learned(decision, outcome)

    def _note(self, decision: Decision) -> None:
        action = decision.action
        if isinstance(action, ForceUpdate):
            self._ends.forced(decision.service_id, decision.version, decision.rule)
        if isinstance(action, RestartTask):
            self._ends.stopped(action.task_id, decision.rule)
            self._on_stop(decision.service_id, action.task_id)

    def forgot(self, rule: str, service_name: str) -> None:
        self._other.forgot(rule, service_name)
