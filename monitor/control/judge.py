"""One rule judged on one service, from what is known now."""

from collections.abc import Callable

from monitor.control.assignment import Claim
from monitor.control.measure import measure
from monitor.decide import ambiguous, decide
from monitor.model.decision import Decision
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.usage import Usage
from monitor.model.view import ServiceView
from monitor.ports.usage import UsageSource

NOTHING_MEASURED = Usage()


class Judge:
    """Gathers what the rule asks for and decides; remembers and changes nothing."""

    def __init__(self, usage: UsageSource, own_service_id: Callable[[], str | None]) -> None:
        self._usage = usage
        self._own_service_id = own_service_id

    def judge(
        self, claim: Claim, view: ServiceView, history: History, now: Now
    ) -> tuple[Decision, Usage]:
        """The decision, and what it was made on; nothing is measured where rules are rivals."""
        rule = claim.rule
        if claim.rivals:
            return ambiguous(rule, view, claim.rivals, history, now), NOTHING_MEASURED
        usage = measure(rule, view, self._usage, now.mono)
        own = view.service.id == self._own_service_id()
        return decide(rule, view, usage, history, now, own_service=own), usage
