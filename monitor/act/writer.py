"""Carries out one decision: reads again, checks, writes once with the version it was decided on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from monitor.act.availability import prepared
from monitor.act.guards import check_change, check_service, refuse
from monitor.act.permit import Permit
from monitor.act.rollback import Before, gone_parts, target_of
from monitor.act.spec import changed_spec
from monitor.act.task_stopper import TaskStopper
from monitor.model.action import Notify, RestartTask, Rollback, SetAvailability, SpecAction
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
from monitor.ports.node_hands import NodeHands

MAX_DECISION_AGE = 5.0
"""Seconds after which a decision is too old to be written, checked right before the write."""

# After these nobody can tell whether the update was applied: the request may have gone out.
AMBIGUOUS_FAULTS = (Unreachable, DeadlineExceeded, BadAnswer, NotAManager)


@dataclass(frozen=True, slots=True)
class Writer:
    """own_service_id: the service of this program, which is never written to; None if unknown.

    hands: how something is done on other nodes; None: there is no way.
    before: the spec of the last deploy before a service's present one.
    """

    engine: Engine
    actorship: Actorship
    clock: Clock
    own_service_id: Callable[[], str | None] = lambda: None
    hands: NodeHands | None = None
    before: Before = lambda _: None

    async def write(self, decision: Decision, permit: Permit) -> Outcome:
        """Carries the decision's action out at most once; never raises EngineError.

        A version conflict is an outcome, not a reason to try again: the caller decides anew.
        """
        match decision.action:
            case None:
                return refuse("nothing to do")
            case RestartTask() as action:
                return await self._stop(decision, action, permit)
            case Rollback() as action:
                return await self._roll_back(decision, action, permit)
            case Notify():
                return self._too_late(decision, permit) or Outcome(OutcomeKind.APPLIED)
            case SetAvailability() as action:
                return await self._set_availability(decision, action, permit)
            case action:
                return await self._change(decision, action, permit)

    async def _stop(self, decision: Decision, action: RestartTask, permit: Permit) -> Outcome:
        if self.hands is None:
            return refuse("this agent has no way to the other nodes")

        def time_left() -> float | str:
            refused = self._too_late(decision, permit)
            left = decision.time.mono + MAX_DECISION_AGE - self.clock.now().mono
            return left if refused is None else refused.detail

        stopper = TaskStopper(self.engine, self.hands, self.own_service_id)
        return await stopper.stop(decision, action, permit.term, time_left)

    async def _roll_back(self, decision: Decision, action: Rollback, permit: Permit) -> Outcome:
        try:
            service = await self.engine.service(decision.service_id)
            refused = check_service(decision, service, self.own_service_id())
            if refused is not None:
                return refused
            target = target_of(service, self.before, action.target)
            if isinstance(target, Outcome):
                return target
            gone = await gone_parts(self.engine, target.spec)
        except EngineError as error:
            return Outcome(OutcomeKind.FAILED, f"not written, since reading failed: {error}")
        refused = self._too_late(decision, permit)
        if gone:
            refused = refuse(f"what {service.name} needed before is gone: {gone}")
        if refused is not None:
            return refused
        write = self.engine.roll_back_service if target.by_swarm else self.engine.update_service
        spec = service.raw["Spec"] if target.by_swarm else target.spec
        return await self._post(write(service.id, decision.version, spec), fingerprint(target.spec))

    async def _change(self, decision: Decision, action: SpecAction, permit: Permit) -> Outcome:
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
        write = self.engine.update_service(service.id, decision.version, changed)
        return await self._post(write, fingerprint(changed))

    async def _set_availability(
        self, decision: Decision, action: SetAvailability, permit: Permit
    ) -> Outcome:
        def too_late() -> Outcome | None:
            return self._too_late(decision, permit)

        spec = await prepared(self.engine, decision, action, permit, too_late)
        if isinstance(spec, Outcome):
            return spec
        write = self.engine.update_node(action.node_id, decision.version, spec)
        return await self._post(write, fingerprint(spec))

    async def _post(self, write: Awaitable[None], posted: str) -> Outcome:
        """posted: the fingerprint of what the service, or node, will be."""
        try:
            await write
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
