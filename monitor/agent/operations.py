"""What a person asks of a running agent: hands off, hands on, and what rules would do."""

import asyncio
import difflib
from collections.abc import Iterable, Iterator, Sequence

import structlog

from monitor.cluster.mirror import Mirror
from monitor.control.assignment import Claim, claims_on
from monitor.control.by_hand import ByHand
from monitor.control.controller import Controller
from monitor.control.pauses import Pauses, TooManyPauses
from monitor.model.action import Action, Rollback, Unpark
from monitor.model.outcome import OutcomeKind
from monitor.model.pause import Pause, PauseScope
from monitor.model.rule import AnyRule, RuleMode, RuleSet, ScaleRule
from monitor.model.scalar import JsonUrl, PrometheusQuery
from monitor.model.service import Service
from monitor.model.sources import sources_of
from monitor.model.usage import Usage
from monitor.model.view import ServiceView
from monitor.ports.actorship import Actorship
from monitor.ports.clock import Clock
from monitor.web.state import Explanation, Refused

NUMBERS_MAY_TAKE = 10.0
"""Seconds that an explanation waits for numbers that were never read before."""

_LOOK_EVERY = 0.1
_SHOWN = 80


class OperatorDesk:
    """A `monitor.web.state.Operations` over the parts of one agent."""

    def __init__(
        self,
        *,
        controller: Controller,
        mirror: Mirror,
        actorship: Actorship,
        clock: Clock,
        by_hand: ByHand | None = None,
    ) -> None:
        self._by_hand = by_hand
        self._controller = controller
        self._mirror = mirror
        self._actorship = actorship
        self._clock = clock
        self._log = structlog.get_logger("monitor.control")

    def pauses(self) -> Sequence[Pause]:
        return self._controller.pauses.shown(self._clock.now())

    async def pause(
        self, scope: PauseScope, name: str, seconds: float | None, *, note: str, by: str
    ) -> Pause:
        """What is not there cannot be paused: a typo would leave a service unprotected."""
        self._refuse_standby()
        self._refuse_unknown(scope, name)
        now = self._clock.now()
        try:
            pauses = self._controller.pauses.having(scope, name, seconds, now, note=note, by=by)
        except TooManyPauses as error:
            raise Refused(409, f"{error}.") from None
        await self._keep(pauses)
        made = next(p for p in pauses.shown(now) if (p.scope, p.name) == (scope, name))
        self._log.info(made.sentence)
        return made

    async def resume(self, scope: PauseScope, name: str) -> Pause:
        self._refuse_standby()
        now = self._clock.now()
        pauses = self._controller.pauses
        shown = pauses.shown(now)
        ended = next((p for p in shown if (p.scope, p.name) == (scope, name)), None)
        if ended is None:
            paused = ", ".join(pause.what for pause in shown[:10]) or "nothing"
            what = Pause(scope, name[:_SHOWN]).what
            raise Refused(404, f"{what} is not paused; paused is: {paused}.")
        await self._keep(pauses.without(scope, name).current(now))
        self._log.info(f"{ended.what} is not paused any more")
        return ended

    async def _keep(self, pauses: Pauses) -> None:
        """A pause that ends with the agent that was asked would be none."""
        why_not = await self._controller.keep_pauses(pauses)
        if why_not:
            raise Refused(503, f"Nothing was changed: {why_not}. Try again.")

    async def roll_back(self, service_name: str, *, by: str) -> str:
        """One of the Swarm's own services, whether a rule is about it or not."""
        sentence = f"{service_name} goes back to what it was before its last deploy{_for(by)}"
        view = self._view(service_name)
        return await self._do(Rollback("", view.service.replicas), view, sentence)

    async def unpark(self, service_name: str, *, by: str) -> str:
        """What a rule parked is what it was; a person's zero is no parking."""
        view = self._view(service_name)
        # An agent that has just taken over may not have looked what became of the last one's write.
        self._controller.settle(view, self._clock.now())
        parked = self._controller.book.parked(view.service.id)
        if parked is None:
            raise Refused(409, f"Nothing was changed: no rule has parked {service_name}.")
        if view.service.replicas != 0:
            raise Refused(409, f"Nothing was changed: {service_name} is not at zero any more.")
        rule, replicas = parked
        sentence = f"{service_name} has its {replicas} replicas again, parked by {rule}{_for(by)}"
        return await self._do(Unpark(replicas), view, sentence)

    def _view(self, service_name: str) -> ServiceView:
        view = self._mirror.view(self._service(service_name).id)
        if view is None:
            raise Refused(404, f"There is no service {service_name[:_SHOWN]!r} any more.")
        return view

    async def _do(self, action: Action, view: ServiceView, sentence: str) -> str:
        """The sentence once it is done."""
        if self._by_hand is None:
            raise Refused(409, "Nothing was changed: this agent does nothing by hand.")
        outcome = await self._by_hand.do(action, view, sentence)
        match outcome.kind:
            case OutcomeKind.APPLIED:
                return sentence
            case OutcomeKind.CONFLICT | OutcomeKind.REFUSED:
                raise Refused(409, f"Nothing was changed: {outcome.detail}.")
            case OutcomeKind.UNKNOWN:
                raise Refused(504, f"Whether it was done is not known: {outcome.detail}.")
        raise Refused(502, f"Nothing was changed: {outcome.detail}.")

    def claim(
        self, rules: RuleSet, service_name: str, rule: str | None
    ) -> tuple[Claim, tuple[str, ...]]:
        """Of the rules given, and of those in the service's own labels, as they stand beside each
        other in an agent that has these files."""
        service = self._service(service_name)
        labelled = self._controller.assignments.labelled(service)
        claims = claims_on(service, rules, labelled.rules)
        chosen = next((claim for claim in claims if rule in (None, claim.rule.name)), None)
        if chosen is not None:
            return chosen, tuple(c.rule.name for c in claims if c is not chosen)
        if rule is None:
            nothing = f"No rule in these files is about {service_name}, and its labels hold none"
            raise Refused(404, "; ".join((nothing, *labelled.problems)) + ".")
        known = (*rules.rules, *labelled.rules)
        raise Refused(404, _no_such_claim(known, rule, service_name, claims))

    async def explain(self, claim: Claim, service_name: str) -> Explanation:
        service_id = self._service(service_name).id
        deadline = self._clock.now().mono + NUMBERS_MAY_TAKE
        while True:
            view = self._mirror.view(service_id)
            if view is None:
                raise Refused(404, f"The service {service_name} is gone.")
            decision, recorded = self._controller.preview(claim, view)
            unread = unread_numbers(claim, recorded.usage)
            if not unread or self._clock.now().mono >= deadline:
                break
            await asyncio.sleep(_LOOK_EVERY)
        notes = [self._history_note(claim, view.service), *self._source_notes(claim, view.service)]
        notes += [f"{name} was not read within {NUMBERS_MAY_TAKE:.0f} s" for name in unread]
        pause = self._controller.pauses.on(service_name, claim.rule.name, self._clock.now())
        if pause is not None:
            notes.append(pause.sentence)
        return Explanation(decision, tuple(notes))

    def _history_note(self, claim: Claim, service: Service) -> str:
        name = claim.rule.name
        if self._controller.book.knows(service.id, name):
            return f"judged with what rule {name}, which is in force, remembers of {service.name}"
        return (
            f"no rule {name} is in force for {service.name}: judged as at a first look, without "
            "past recommendations, cooldowns and budgets"
        )

    def _source_notes(self, claim: Claim, service: Service) -> Iterator[str]:
        """Where the rule is from, and what of the service's labels is not followed, and why."""
        rule, labelled = claim.rule, self._controller.assignments.labelled(service)
        if rule.source:
            yield f"rule {rule.name} is from {rule.source}"
        if isinstance(rule, ScaleRule) and rule not in labelled.rules:
            for other in labelled.rules:
                if isinstance(other, ScaleRule) and other.mode is not RuleMode.OFF:
                    yield f"its labels swarm-monitor.scale.* do not count beside rule {rule.name}"
        yield from (*labelled.problems, *labelled.notices)

    def _service(self, name: str) -> Service:
        for service in self._mirror.services().values():
            if service.name == name:
                return service
        raise Refused(404, f"There is no service {name[:_SHOWN]!r} any more.")

    def _refuse_standby(self) -> None:
        """A pause that the acting agent does not know of would hold nothing back."""
        if self._actorship.term() is None and self._mirror.fresh:
            why_not = self._actorship.why_not()
            raise Refused(409, f"This agent does not act, so it has nothing to pause: {why_not}.")

    def _refuse_unknown(self, scope: PauseScope, name: str) -> None:
        if scope is PauseScope.SERVICE:
            known = {service.name for service in self._mirror.services().values()}
        elif scope is PauseScope.RULE:
            rules = self._controller.rules
            known = {rule.name for rule in (*rules.rules, *rules.node_rules)}
            known |= {entry.decision.rule for entry in self._controller.book.latest()}
        else:
            return
        if name not in known:
            raise Refused(404, f"There is no {scope} {name[:_SHOWN]!r}{_close(name, known)}")


def _for(by: str) -> str:
    return f" for {by}" if by else ""


def unread_numbers(claim: Claim, usage: Usage) -> list[str]:
    """Names of the rule's metrics whose source has not answered yet, neither well nor badly."""
    if claim.rivals:
        return []
    return [
        name
        for name, source in sources_of(claim.rule).items()
        if isinstance(source, PrometheusQuery | JsonUrl) and name not in usage.numbers
    ]


def _no_such_claim(
    rules: Iterable[AnyRule], name: str, service_name: str, claims: Sequence[Claim]
) -> str:
    there = next((rule for rule in rules if rule.name == name), None)
    names = ", ".join(claim.rule.name for claim in claims) or "none"
    about = f"about {service_name} are: {names}."
    if there is None:
        return f"There is no rule {name[:_SHOWN]!r} in these files or its labels; {about}"
    if there.mode is RuleMode.OFF:
        return f"Rule {name} is off: write mode: act or mode: dry_run to have it judged."
    return f"Rule {name} is not about {service_name}; {about}"


def _close(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name[:_SHOWN], sorted(known), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(close)}?" if close else "."
