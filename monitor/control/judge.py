"""One rule judged on one service, from what is known now."""

from collections.abc import Callable

from monitor.control.assignment import Claim
from monitor.control.measure import measure
from monitor.decide import Recorded, ambiguous, decide, lean, record
from monitor.model.decision import Decision
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.rule import AnyRule, ScaleRule
from monitor.model.usage import Usage
from monitor.model.view import ServiceView
from monitor.ports.bounds import Calendar
from monitor.ports.evidence import EvidenceSource, NoEvidence
from monitor.ports.numbers import NumberReader
from monitor.ports.usage import UsageSource

NOTHING_MEASURED = Usage()


class Judge:
    """Gathers what the rule asks for and decides; remembers and changes nothing that counts."""

    def __init__(
        self,
        usage: UsageSource,
        numbers: NumberReader,
        calendar: Calendar,
        own_service_id: Callable[[], str | None],
        evidence: EvidenceSource | None = None,
    ) -> None:
        self._evidence = evidence or NoEvidence()
        self._usage = usage
        self._numbers = numbers
        self._calendar = calendar
        self._own_service_id = own_service_id
        self._leaned: tuple[ServiceView, ServiceView] | None = None

    def in_force(self, rule: AnyRule, now: Now) -> AnyRule:
        """The rule with the bounds that its schedules give it now."""
        return self._calendar.in_force(rule, now.wall) if isinstance(rule, ScaleRule) else rule

    def next_change(self, rule: AnyRule, now: Now) -> float | None:
        """Monotonic seconds at which a schedule of the rule begins or ends; None: never."""
        if not isinstance(rule, ScaleRule):
            return None
        change = self._calendar.next_change(rule, now.wall)
        return None if change is None else now.mono + change - now.wall

    def judge(
        self, claim: Claim, view: ServiceView, history: History, now: Now
    ) -> tuple[Decision, Recorded]:
        """The decision, and all that it was made on; nothing is measured where rules are rivals.

        Made by the rule as its schedules have it now.
        """
        rule = self.in_force(claim.rule, now)
        if claim.rivals:
            recorded = record(rule, view, NOTHING_MEASURED, history, now, rivals=claim.rivals)
            return ambiguous(rule, view, claim.rivals, history, now), recorded
        usage = measure(rule, view, self._usage, self._numbers, now.mono)
        own = view.service.id == self._own_service_id()
        known = self._evidence.evidence(rule, view, now)
        recorded = record(
            *(rule, view, usage, history, now),
            own_service=own,
            evidence=known,
            leaned=self._lean(view),
        )
        return decide(rule, view, usage, history, now, own_service=own, evidence=known), recorded

    def _lean(self, view: ServiceView) -> ServiceView:
        """All rules of a service are judged on one view, one after the other."""
        if self._leaned is None or self._leaned[0] is not view:
            self._leaned = view, lean(view)
        return self._leaned[1]
