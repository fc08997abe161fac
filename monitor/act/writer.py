"""Carries out one decision: reads again, checks, writes once with the version it was decided on."""

from collections.abc import Callable
from dataclasses import dataclass

from monitor.act.guards import check_change, check_service, refuse
from monitor.act.permit import Permit
from monitor.act.spec import changed_spec
from monitor.model.action import SpecAction
from monitor.model.decision import Decision
from monitor.model.fingerprint import fingerprint
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.ports.actorship import Actorship
from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.ports.errors import (
    BadAnswer,
    Conflict,
    DeadlineExceeded,
    EngineError,
    NotAManager,
    Unreachable,
)

MAX_DECISION_AGE = 5.0
"""Seconds after which a decision is too old to be written, checked right before the write."""

# After these nobody can tell whether the update was applied: the request may have gone out.
AMBIGUOUS_FAULTS = (Unreachable, DeadlineExceeded, BadAnswer, NotAManager)


@dataclass(frozen=True, slots=True)
class Writer:
    """own_service_id: the service of this program, which is never written to; None if unknown."""

    engine: Engine
    actorship: Actorship
    clock: Clock
    own_service_id: Callable[[], str | None] = lambda: None

    async def write(self, decision: Decision, permit: Permit) -> Outcome:
        """Writes the decision's action at most once; never raises EngineError.

        A version conflict is an outcome, not a reason to try again: the caller decides anew.
        """
        action = decision.action
        if action is None:
            return refuse("nothing to do")
        if not isinstance(action, SpecAction):
            return refuse(f"{decision.action_name} is not carried out yet")
        try:
            service = await self.engine.service(decision.service_id)
        except EngineError as error:
            return Outcome(OutcomeKind.FAILED, f"not written, since reading failed: {error}")
        refused = check_service(decision, service, self.own_service_id())
        if refused is not None:
            return refused
        changed = changed_spec(service.raw["Spec"], action)
        refused = check_change(service, action, changed, permit.bounds)
        refused = refused or self._too_late(decision, permit)
        if refused is not None:
            return refused
        posted = fingerprint(changed)
        try:
            await self.engine.update_service(service.id, decision.version, changed)
        except Conflict as error:
            return Outcome(OutcomeKind.CONFLICT, str(error), posted)
        except AMBIGUOUS_FAULTS as error:
            return Outcome(OutcomeKind.UNKNOWN, str(error), posted)
        except EngineError as error:
            return Outcome(OutcomeKind.FAILED, str(error), posted)
        return Outcome(OutcomeKind.APPLIED, posted=posted)

    def _too_late(self, decision: Decision, permit: Permit) -> Outcome | None:
        """The last check before the write, after the last await."""
        if self.actorship.term() != permit.term:
            return refuse(f"this agent does not act any more: {self.actorship.why_not()}")
        withdrawn = permit.withdrawn()
        if withdrawn:
            return refuse(withdrawn)
        age = self.clock.now().mono - decision.time.mono
        if age > MAX_DECISION_AGE:
            return refuse(f"the decision is {age:.1f} s old, over {MAX_DECISION_AGE:.0f} s")
        return None
