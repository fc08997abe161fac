"""Services that no rule may touch, whatever their load, and facts too old to judge by."""

from collections.abc import Sequence

from monitor.decide import conditions
from monitor.decide.guards import guard_end, guard_sentence
from monitor.decide.verdict import Case, Verdict, decision
from monitor.model.decision import Decision
from monitor.model.evidence import NO_EVIDENCE, Evidence
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.rule import AnyRule, ScaleRule
from monitor.model.service import ServiceMode
from monitor.model.view import ServiceView


def refusal(case: Case, *, own_service: bool, evidence: Evidence = NO_EVIDENCE) -> Verdict | None:
    """Why this rule may never touch this service, or cannot judge it now; else None."""
    scales = isinstance(case.rule, ScaleRule)
    mode = case.view.service.mode
    if own_service:
        text = "is left alone: it is the service this agent itself runs in"
        return _refused(
            case, Reason.OWN_SERVICE, text, "nothing: an agent never touches the service it runs in"
        )
    if mode.is_job:
        text = f"is left alone: it is a {mode.value}, and any update of a job runs it again"
        return _refused(case, Reason.UNSUPPORTED_MODE, text, "a service that is no job")
    if scales and (mode is not ServiceMode.REPLICATED or case.view.service.replicas is None):
        text = (
            f"cannot be scaled: its mode is {mode.value}, and only replicated services have "
            "replicas; take it out of the rule's services"
        )
        return _refused(case, Reason.UNSUPPORTED_MODE, text, "a replicated service")
    if scales and evidence.parked_by and case.view.service.replicas == 0:
        text = f"is left at 0 replicas: rule {evidence.parked_by} parked it"
        return _refused(case, Reason.PARKED, text, "somebody unparks it, or sets its replicas")
    if not case.view.fresh:
        text = guard_sentence(case.view, Reason.OUT_OF_SYNC, case.now)
        return Verdict(
            desired=None,
            reason=Reason.OUT_OF_SYNC,
            text=text,
            conditions=(conditions.unreadable(text),),
            binding=Reason.OUT_OF_SYNC.value,
            would_change=guard_end(case.view, Reason.OUT_OF_SYNC),
        )
    return None


def ambiguous(
    rule: AnyRule, view: ServiceView, others: Sequence[str], history: History, now: Now
) -> Decision:
    """The decision of a scale rule whose service `others` (names of scale rules) claim too."""
    names = ", ".join(sorted({rule.name, *others}))
    text = f"is left alone: {names} all scale it; let one of them exclude it"
    verdict = Verdict(
        desired=view.service.replicas,
        reason=Reason.AMBIGUOUS,
        text=text,
        recommendation=view.service.replicas,
        conditions=(conditions.readable(), conditions.ambiguous(text)),
        binding=Reason.AMBIGUOUS.value,
        would_change=f"only one of {names} is about it",
    )
    return decision(Case(rule, view, history, now), verdict)


def _refused(case: Case, reason: Reason, text: str, ends: str) -> Verdict:
    return Verdict(
        desired=case.view.service.replicas,
        reason=reason,
        text=text,
        conditions=(conditions.readable(), conditions.disabled(text)),
        binding=reason.value,
        would_change=ends,
    )
