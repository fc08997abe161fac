"""The one task that decides: due services in order, admission, one write in flight each."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from monitor.act.permit import Permit
from monitor.act.writer import Writer
from monitor.control.assignment import NO_LABELS, Assignments, Claim, LabelSource
from monitor.control.attention import Attention
from monitor.control.book import Book
from monitor.control.ceiling import DEFAULT_WRITES_PER_MINUTE, WriteCeiling
from monitor.control.gates import Gates
from monitor.control.heritage import Heritage
from monitor.control.judge import Judge
from monitor.control.limits import Limits
from monitor.control.marks import Fate, mark_of
from monitor.control.observer import Observer
from monitor.control.pauses import Pauses
from monitor.control.restarts import DEFAULT_RESTARTS_AT_ONCE, RestartsAtOnce
from monitor.control.survival import Survival
from monitor.control.unknown_past import as_if_just_done
from monitor.control.views import Views
from monitor.control.writes import WritesInFlight, counts_alone
from monitor.decide import Recorded, after_absence, record_write, remember
from monitor.model.action import Action
from monitor.model.decision import Decision
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.reason import Reason
from monitor.model.rule import AnyRule, RuleSet, ScaleRule
from monitor.model.service import Service
from monitor.model.view import ServiceView
from monitor.ports.actorship import Actorship
from monitor.ports.bounds import Calendar
from monitor.ports.clock import Clock
from monitor.ports.evidence import EvidenceSource
from monitor.ports.numbers import NumberReader
from monitor.ports.usage import UsageSource

NOTE_MAY_TAKE = 1.0
"""Seconds that a write waits for its note on this node's disk."""

SLICE = 0.005
"""Seconds of deciding after which other tasks get their turn."""


class Controller:
    """Decides and admits; alone changes histories, flights and the book.
    Nothing here awaits while deciding. survival: keeps what must outlive this agent, None: nothing
    does; it is not run here. before_write: awaited before a write is sent, for 1 s at the most.
    """

    def __init__(
        self,
        *,
        views: Views,
        usage: UsageSource,
        numbers: NumberReader,
        calendar: Calendar,
        writer: Writer,
        actorship: Actorship,
        clock: Clock,
        observer: Observer,
        dry_run: bool = False,
        writes_per_minute: int = DEFAULT_WRITES_PER_MINUTE,
        restarts_at_once: int = DEFAULT_RESTARTS_AT_ONCE,
        label_source: LabelSource = lambda _: NO_LABELS,
        survival: Survival | None = None,
        evidence: EvidenceSource | None = None,
        before_write: Callable[[Decision], Awaitable[None]] | None = None,
    ) -> None:
        self.book = Book()
        self.ceiling = WriteCeiling(writes_per_minute)
        self.limits = Limits(self.ceiling, RestartsAtOnce(restarts_at_once, views.services))
        self.pauses = Pauses()
        self._views = views
        self._judging = Judge(usage, numbers, calendar, writer.own_service_id, evidence)
        self._actorship = actorship
        self._clock = clock
        self._observer = observer
        self._dry_run = dry_run
        self.assignments = Assignments(label_source=label_source)
        self._due = Attention(usage)
        self.writes = WritesInFlight(
            writer,
            clock,
            self._write_ended,
            self._write_counts,
            on_settled=self._write_settled,
            intend=self._intend,
        )
        self.heritage = Heritage(self.book, self.ceiling, observer.learned)
        self._survival = survival
        self._before_write = before_write
        self._changes = self._told_changes = 0
        self.past_unknown_since: float | None = None
        if survival is not None:
            survival.serve(self)
        self._ruled: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._decisions = 0

    # What becomes due, told by the mirror, the sampler and the rule source.

    def touch(self, service_ids: Iterable[str]) -> None:
        """Facts about these services changed (or they are gone)."""
        self._due.stir(service_ids, self._clock.now().mono)
        self._wake.set()

    def samples_arrived(self) -> None:
        """Usage was sampled: every service that is measured may be judged anew."""
        self._due.tick(self._ruled, self._clock.now().mono)
        self._wake.set()

    def use_rules(self, rules: RuleSet) -> None:
        """These rules are in force from now on."""
        self.assignments.use(rules)
        self.touch(dict.fromkeys((*self._views.services(), *self._ruled)))

    def use_pauses(self, pauses: Pauses) -> None:
        """These pauses are in force from now on, also for writes that are about to be sent."""
        self.pauses = pauses
        self._changes += 1
        self.touch(self._ruled)

    async def keep_pauses(self, pauses: Pauses) -> str:
        """As `use_pauses`, and they outlive this agent. Returns "", or why they do not: then
        those from before are in force."""
        before = self.pauses
        self.use_pauses(pauses)
        if self._survival is None:
            return ""
        term = self._actorship.term()
        why_not = self._actorship.why_not()
        if term is not None:
            why_not = await self._survival.save(term)
        if (term is None or why_not) and self.pauses is pauses:
            self.use_pauses(before)
        return why_not

    def stop(self) -> None:
        """Admit nothing more; `run` ends when the writes in flight have ended."""
        self._stopping = True
        self._wake.set()

    # What outlives this agent; see `monitor.control.survival.Remembering`.

    @property
    def changes(self) -> int:
        return self.book.changes + self._changes

    def as_state(self, now: Now) -> dict[str, Any]:
        """What must outlive this agent, as plain JSON values: see `monitor.control.heritage`."""
        return self.heritage.as_state(now, self.pauses, self._decisions)

    def adopt(self, state: Mapping[str, Any], now: Now) -> int:
        """Takes over what an agent left behind; `now` by the wall clock of that agent.

        Returns how many entries could not be read. What this agent alone can know stays.
        """
        left_out = self.heritage.adopt(state, now)
        self.limits.restarts.take_over(self.book.restarted(), now.mono)
        for (service_id, _), own_version in self.heritage.own_versions(now):
            self.writes.learn_own(service_id, own_version)
        decided = state.get("decided")
        if isinstance(decided, int):
            self._decisions = max(self._decisions, decided)
        pauses = state.get("pauses")
        if isinstance(pauses, list):
            read = [pause for pause in pauses if isinstance(pause, Mapping)]
            self.pauses = Pauses.from_state(read, now)
            left_out += len(pauses) - len(read)
        self.touch(self._ruled)
        return left_out

    def forget_past(self) -> None:
        """Nobody knows what was done before: as if each rule had just acted on each service."""
        now = self._clock.now().mono
        self.past_unknown_since = now
        for (service_id, name), history in list(self.book.histories().items()):
            rule = self.assignments.rule(service_id, name)
            if rule is not None:
                self.book.keep_history(service_id, name, as_if_just_done(history, rule, now))

    def may_act(self) -> None:
        self.touch(self._ruled)

    @property
    def rules(self) -> RuleSet:
        return self.assignments.rules

    def claims(self, service: Service) -> tuple[Claim, ...]:
        """The rules in force that are about this service."""
        return self.assignments.of(service)

    @property
    def ruled_services(self) -> frozenset[str]:
        """Ids of services that at least one rule is about."""
        return frozenset(self._ruled)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                self._wake.clear()
                await self._decide_due(group)
                await self._sleep()

    async def _sleep(self) -> None:
        next_at = self._due.next_at()
        if self._stopping or (next_at is not None and next_at <= self._clock.now().mono):
            return
        timeout = None if next_at is None else next_at - self._clock.now().mono
        try:
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _decide_due(self, group: asyncio.TaskGroup) -> None:
        started = self._clock.now().mono
        while not self._stopping:
            now = self._clock.now()
            service_id = self._due.take(now.mono)
            if service_id is None:
                return
            self._evaluate(service_id, now, group)
            if now.mono - started > SLICE:
                await asyncio.sleep(0)
                started = self._clock.now().mono

    def _evaluate(self, service_id: str, now: Now, group: asyncio.TaskGroup) -> None:
        if self._due.rests(service_id, now.mono):
            return
        view = self._views.view(service_id)
        if view is None:
            self._forget(service_id)
            return
        claims = self.assignments.of(view.service)
        names = (claim.rule.name for claim in claims)
        for last in self.book.keep_rules(service_id, names, now.mono):
            self._observer.forgot(last.rule, last.service_name)
        if not claims:
            self._ruled.pop(service_id, None)
            self.limits.leave(service_id)
            return
        self._ruled[service_id] = view.service.name
        closed_until = self.writes.closed_until(view, now)
        if closed_until is None:
            self._judge(view, claims, now, group)
        else:
            self._due.again(service_id, now.mono, closed_until)

    def _judge(
        self, view: ServiceView, claims: tuple[Claim, ...], now: Now, group: asyncio.TaskGroup
    ) -> None:
        service_id = view.service.id
        self.settle(view, now)
        term, why_not = self._actorship.term(), self._actorship.why_not()
        if term is not None and self._survival is not None:
            why_not = self._survival.ready_for(term)
            term = None if why_not else term
        turn, no_room = self.limits.look(view, self.writes.own_version(service_id), now)
        gates = Gates(self._dry_run, term, why_not, now, self.pauses, no_room, turn)
        write_is_due = False
        held: dict[Reason, Action | None] = {}
        look_again: list[float] = []
        judged_on: list[Recorded] = []
        for claim in claims:
            wanted, recorded = self._decide(claim, view, now)
            judged_on += (recorded,) if wanted.action is None else ()
            decision = gates.admit(wanted, claim.rule, write_is_due)
            new = self.book.record(decision, recorded)
            self._observer.decided(decision, new)
            held[decision.reason] = wanted.action
            if decision.recheck_after is not None:
                look_again.append(now.mono + decision.recheck_after)
            if (change := self._judging.next_change(claim.rule, now)) is not None:
                look_again.append(change)
            if decision.action is not None and gates.term is not None:
                write_is_due = True
                self.limits.start(decision, turn, now.mono)
                permit = self._permit(claim.rule, view.service.name, gates.term, now)
                self.writes.start(group, decision, permit, view)
        self.limits.stand(service_id, held, turn)
        all_judged_on = judged_on if len(judged_on) == len(claims) else ()
        self._due.again(service_id, now.mono, min(look_again, default=None), all_judged_on)
        self._tell_changes()

    def _decide(self, claim: Claim, view: ServiceView, now: Now) -> tuple[Decision, Recorded]:
        name, service_id = claim.rule.name, view.service.id
        history = after_absence(self._history(service_id, claim.rule), now.mono)
        decision, recorded = self._judging.judge(claim, view, history, now)
        self.book.keep_history(service_id, name, remember(history, decision))
        self._decisions += 1
        number = f"{view.service.version}/{self._decisions}"
        return replace(decision, id=f"{name}/{service_id}/{number}"), recorded

    def _history(self, service_id: str, rule: AnyRule) -> History:
        own_version = self.writes.own_version(service_id)
        history = self.book.history(service_id, rule.name, own_version)
        since = self.past_unknown_since
        if since is not None and not self.book.knows(service_id, rule.name):
            return as_if_just_done(history, rule, since)
        return history

    def preview(self, claim: Claim, view: ServiceView) -> tuple[Decision, Recorded]:
        """What a rule would decide now, and on what; nothing is remembered and nothing done.

        The history is that of the rule in force of this name.
        """
        history = self._history(view.service.id, claim.rule)
        return self._judging.judge(claim, view, history, self._clock.now())

    def _permit(self, rule: AnyRule, service_name: str, term: int, now: Now) -> Permit:
        in_force = self._judging.in_force(rule, now)
        bounds = (in_force.min, in_force.max) if isinstance(in_force, ScaleRule) else None

        def withdrawn() -> str:
            pause = self.pauses.on(service_name, rule.name, self._clock.now())
            if pause is not None:
                return pause.sentence
            superseded = "" if self._survival is None else self._survival.ready_for(term)
            return superseded or self.assignments.withdrawn(rule)

        return Permit(term, bounds, withdrawn)

    async def _intend(self, decision: Decision, view: ServiceView, permit: Permit) -> str:
        """Stores the action as if it had been carried out, before anything of it is sent."""
        if self._survival is not None:
            self.heritage.own[decision.service_id] = mark_of(decision, view.service)
            self._changes += 1
            why_not = await self._survival.save(permit.term)
            if why_not:
                return why_not
        if self._before_write is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(NOTE_MAY_TAKE):
                    await self._before_write(decision)
        return ""

    def settle(self, view: ServiceView, now: Now) -> None:
        """Counts a write of an agent before us once the service shows that it was applied."""
        found = self.heritage.inherited.settle(view, now.mono)
        if found is None:
            return
        mark, fate = found
        service_id, rule = mark.decision.service_id, mark.decision.rule
        history = self.book.history(service_id, rule)
        self.book.keep_history(service_id, rule, mark.counted(history, now, fate))
        if fate is not Fate.UNKNOWN:
            applied = Outcome(OutcomeKind.APPLIED, "found applied", mark.posted)
            self.book.note_outcome(mark.decision, applied)
        if fate is Fate.OWN and counts_alone(mark.decision.action):
            self.writes.learn_own(service_id, view.service.version)

    def _write_counts(self, decision: Decision) -> None:
        if self._survival is not None and not self.heritage.is_own(decision):
            return  # stored by us, it was taken over by the agent that acts now, and counts there
        self.heritage.inherited.forget(decision.service_id)
        history = self.book.history(decision.service_id, decision.rule)
        history = record_write(history, decision, self._clock.now())
        self.book.keep_history(decision.service_id, decision.rule, history)

    def _write_ended(self, decision: Decision, outcome: Outcome) -> None:
        self.limits.end(decision, outcome, self._clock.now().mono)
        self.book.note_outcome(decision, outcome)
        if outcome.kind is not OutcomeKind.UNKNOWN:
            self._write_settled(decision)
        self._observer.wrote(decision, outcome)
        self._views.expect([decision.service_id])
        self.touch([decision.service_id])
        self._tell_changes()

    def _write_settled(self, decision: Decision) -> None:
        """Nothing is open any more of this write."""
        if self.heritage.is_own(decision):
            del self.heritage.own[decision.service_id]
            self._changes += 1

    def _tell_changes(self) -> None:
        if self._survival is not None and self._told_changes != self.changes:
            self._told_changes = self.changes
            self._survival.changed()

    def _forget(self, service_id: str) -> None:
        now = self._clock.now().mono
        for last in self.book.keep_rules(service_id, (), now):
            self._observer.forgot(last.rule, last.service_name)
        self.book.forget_service(service_id, now)
        self.heritage.forget(service_id)
        self.assignments.forget(service_id)
        self.limits.leave(service_id)
        self._due.forget(service_id)
        self.writes.forget(service_id)
        self._ruled.pop(service_id, None)
