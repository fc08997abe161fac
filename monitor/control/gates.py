"""What may hold back a decision that wants to act, besides the service itself."""

from dataclasses import dataclass, replace

from monitor.model.action import ForceUpdate, ScaleTo
from monitor.model.decision import Decision
from monitor.model.reason import Reason
from monitor.model.rule import AnyRule, RuleMode


@dataclass(frozen=True, slots=True)
class Gates:
    """dry_run: the whole agent's setting. term: of the actorship, None if not acting."""

    dry_run: bool
    term: int | None
    why_not_actor: str = ""

    def admit(self, decision: Decision, rule: AnyRule, write_is_due: bool) -> Decision:
        """The decision as it is, or without its action and with the reason that holds it back.

        write_is_due: another write of the same service was admitted just now and goes first.
        """
        if decision.action is None:
            return decision
        if rule.mode is RuleMode.DRY_RUN:
            return hold(decision, Reason.DRY_RUN, f"rule {rule.name} is on dry run")
        if self.dry_run:
            return hold(decision, Reason.DRY_RUN, "the agent runs with --dry-run")
        if self.term is None:
            return hold(decision, Reason.NOT_ACTOR, self.why_not_actor)
        if write_is_due:
            return hold(decision, Reason.IN_FLIGHT, "another write of this service goes first")
        return decision


def hold(decision: Decision, reason: Reason, why: str) -> Decision:
    match decision.action:
        case ScaleTo(replicas):
            wish = f"would scale from {decision.current} to {replicas} replicas, but "
        case ForceUpdate():
            wish = "would restart all tasks, but "
        case None:
            wish = ""
    sentence = f"{decision.service_name}: {wish}{why}"
    return replace(decision, action=None, reason=reason, sentence=sentence)
