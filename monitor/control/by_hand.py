"""What a person has done at once, through the same guards and marks as what rules do."""

from collections.abc import Callable
from dataclasses import dataclass

from monitor.act.permit import Permit
from monitor.control.survival import Survival
from monitor.control.writes import WritesInFlight
from monitor.decide import rollout_guard
from monitor.decide.guards import guard_sentence
from monitor.model.action import Action, Rollback
from monitor.model.decision import Decision
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.reason import Reason
from monitor.model.view import ServiceView
from monitor.ports.actorship import Actorship
from monitor.ports.clock import Clock

BY_HAND = "operator"
"""Stands where a rule's name would."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """survival: keeps what must outlive this agent; None: nothing does."""

    writes: WritesInFlight
    actorship: Actorship
    clock: Clock
    survival: Survival | None
    dry_run: Callable[[], bool]

    async def do(self, action: Action, view: ServiceView, sentence: str) -> Outcome:
        """One attempt on the service as it is seen now; a conflict is not tried again."""
        service, now = view.service, self.clock.now()
        term, why_not = self.actorship.term(), self.actorship.why_not()
        if term is not None and self.survival is not None:
            why_not = self.survival.ready_for(term)
            term = None if why_not else term
        if term is None:
            return _refused(f"this agent does not act: {why_not}")
        if self.dry_run():
            return _refused("this agent is on a dry run (--dry-run)")
        if self.writes.closed_until(view, now) is not None:
            return _refused(f"another write to {service.name} is on its way; try again")
        rolling = rollout_guard(view, self.writes.own_version(service.id), now)
        if rolling is not None and not isinstance(action, Rollback):
            return _refused(f"{service.name} {guard_sentence(view, rolling, now)}; try again then")
        decision = Decision(
            time=now,
            rule=BY_HAND,
            service_id=service.id,
            service_name=service.name,
            version=service.version,
            current=service.replicas,
            desired=service.replicas,
            action=action,
            reason=Reason.CONDITION_MET,
            sentence=sentence,
            id=f"{BY_HAND}/{service.id}/{service.version}/{now.wall:.3f}",
        )
        held = term

        def withdrawn() -> str:
            return "" if self.survival is None else self.survival.ready_for(held)

        return await self.writes.carry_out(decision, Permit(held, None, withdrawn), view)


def _refused(why: str) -> Outcome:
    return Outcome(OutcomeKind.REFUSED, why)
