"""The one task that follows node rules: one node after the other, one write at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from monitor.act.permit import Permit
from monitor.act.writer import Writer
from monitor.control.controller import NOTE_MAY_TAKE, SLICE, Controller
from monitor.control.gates import Gates
from monitor.control.node_memory import NodeMemory
from monitor.control.node_rules import rules_on, takes_back
from monitor.control.observer import Observer
from monitor.control.survival import Survival
from monitor.control.unknown_past import as_if_just_done
from monitor.decide import remember
from monitor.decide.node import decide_node
from monitor.decide.node_fence import fence
from monitor.model.action import SetAvailability
from monitor.model.decision import Decision
from monitor.model.history import History
from monitor.model.node import Node
from monitor.model.node_evidence import NodesSeen
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.reason import Reason
from monitor.model.rule import FailingHere, NodeRule
from monitor.ports.evidence import NodeEvidenceSource

EVERY = 5.0
"""Seconds between looks at all nodes; a change of a node is looked at within SOONEST."""

SOONEST = 1.0


class NodeControl:
    """Shares the book, the ceiling, the pauses and what survives with the controller of services.

    While a write is on its way nothing else is decided about nodes, so no two nodes are ever
    drained side by side. survival and before_write: as those of the controller.
    """

    def __init__(
        self,
        *,
        controller: Controller,
        evidence: NodeEvidenceSource,
        writer: Writer,
        observer: Observer,
        dry_run: bool = False,
        survival: Survival | None = None,
        before_write: Callable[[Decision], Awaitable[None]] | None = None,
    ) -> None:
        self._controller = controller
        self._evidence = evidence
        self._writer = writer
        self._actorship = writer.actorship
        self._clock = writer.clock
        self._observer = observer
        self._dry_run = dry_run
        self._survival = survival
        self._before_write = before_write
        self._memory = NodeMemory(controller.book, controller.heritage)
        self._known: dict[str, str] = {}
        self._drained: dict[str, str] = {}
        self._unknown_since: float | None = None
        self._next: float | None = None
        self._wake = asyncio.Event()
        self._stopping = False
        self._stopped = asyncio.Event()

    def touch(self) -> None:
        """Facts about nodes changed, or rules, or pauses, or who acts."""
        self._wake.set()

    def stop(self) -> None:
        """Admit nothing more; `run` ends when the write in flight has ended."""
        self._stopping = True
        self._wake.set()
        self._stopped.set()

    def drained(self) -> Mapping[str, tuple[str, float | None]]:
        """By node id: the rule that drained it, and the wall seconds at which it is taken back,
        None where that is not known yet."""
        now = self._clock.now()
        nodes = self._evidence.nodes(failures=False, now=now).nodes
        found: dict[str, tuple[str, float | None]] = {}
        for node_id, rule in self._memory.drained(nodes, now.mono).items():
            until = self._controller.book.history(node_id, rule).course.drained_until
            found[node_id] = (rule, None if until is None else until + now.wall - now.mono)
        return found

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                self._wake.clear()
                self._next = None
                before = self._controller.book.changes
                await self._round(group)
                if self._survival is not None and self._controller.book.changes != before:
                    self._survival.changed()
                await self._sleep()

    async def _sleep(self) -> None:
        started = self._clock.now().mono
        wait = EVERY if self._next is None else min(max(self._next - started, SOONEST), EVERY)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._wake.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(started + SOONEST - self._clock.now().mono, 0.0)):
                await self._stopped.wait()

    # One look at all nodes

    async def _round(self, group: asyncio.TaskGroup) -> None:
        rules = self._controller.rules.node_rules
        now = self._clock.now()
        seen = self._look(rules, now)
        if not seen.fresh and not seen.nodes:
            return  # a worker knows of no nodes; that they are not seen ends nothing
        self._past_unknown(rules)
        if seen.fresh:
            self._settle(seen.nodes, now)
            self._forget_gone(seen.nodes, now)
        if not rules and not self._drained and not self._known:
            return
        started = now.mono
        for node_id in sorted(seen.nodes, key=lambda one: (seen.nodes[one].name, one)):
            for rule in self._rules_on(seen.nodes[node_id], rules, now):
                if self._stopping:
                    return
                if await self._judge(rule, node_id, seen, group):
                    self._soon(0.0)  # what follows of it, and whose turn is next
                    seen = self._look(rules, self._clock.now())
                    if node_id not in seen.nodes:
                        return
            if self._clock.now().mono - started > SLICE:
                await asyncio.sleep(0)
                started = self._clock.now().mono

    def _look(self, rules: tuple[NodeRule, ...], now: Now) -> NodesSeen:
        failures = any(isinstance(leaf, FailingHere) for rule in rules for leaf in rule.any_of)
        seen = self._evidence.nodes(failures=failures, now=now)
        self._drained = self._memory.drained(seen.nodes, now.mono)
        return seen

    def _rules_on(self, node: Node, rules: tuple[NodeRule, ...], now: Now) -> list[NodeRule]:
        """Those in force, and for whoever drained it one that takes it back."""
        on = rules_on(node, rules, self._drained.get(node.id))
        last = self._controller.book.keep_rules(node.id, [rule.name for rule in on], now.mono)
        for one in last:
            self._observer.forgot(one.rule, one.subject_name)
        if on:
            self._known[node.id] = node.name
        return on

    def _settle(self, nodes: Mapping[str, Node], now: Now) -> None:
        for node in nodes.values():
            settled = self._memory.settle(node, now)
            if settled is not None and settled[1] is not None:
                self._observer.wrote(settled[0], settled[1])

    def _forget_gone(self, nodes: Mapping[str, Node], now: Now) -> None:
        for node_id in [one for one in self._known if one not in nodes]:
            del self._known[node_id]
            for last in self._controller.book.keep_rules(node_id, (), now.mono):
                self._observer.forgot(last.rule, last.subject_name)
            self._controller.ceiling.leave(node_id)
            self._memory.forget(node_id, now.mono)

    def _past_unknown(self, rules: tuple[NodeRule, ...]) -> None:
        """Where nobody knows what was done before, every budget is spent. What was drained then
        counts as drained by a person, and stays so."""
        since, book = self._controller.past_unknown_since, self._controller.book
        if since is None or since == self._unknown_since:
            return
        self._unknown_since = since
        by_name = {rule.name: rule for rule in rules}
        for (node_id, name), history in list(book.histories().items()):
            if node_id in self._known and name in by_name:
                book.keep_history(node_id, name, as_if_just_done(history, by_name[name], since))

    # One rule on one node

    async def _judge(
        self, rule: NodeRule, node_id: str, seen: NodesSeen, group: asyncio.TaskGroup
    ) -> bool:
        """Whether something was done, after which nothing is as it was seen."""
        now, controller = self._clock.now(), self._controller
        node = seen.nodes[node_id]
        if node_id in self._memory.lost:
            return False  # what is there may be about to change
        history = self._history(rule, node_id)
        wanted = decide_node(rule, seen.of(node, self._drained), history, now)
        number = f"{node.version}/{now.wall:.3f}"
        wanted = replace(wanted, id=f"{rule.name}/{node_id}/{number}")
        controller.book.keep_history(node_id, rule.name, remember(history, wanted))
        gates = self._gates(node_id, now)
        decision = gates.admit(wanted, rule, write_is_due=False)
        self._observer.decided(decision, controller.book.record(decision))
        waits = decision.reason is Reason.WRITE_LIMIT
        controller.ceiling.stand(node_id, waits=waits)
        if decision.recheck_after is not None:
            self._soon(decision.recheck_after)
        if decision.action is None or gates.term is None:
            return False
        permit = self._permit(rule, node_id, gates.term)
        work = self._carry_out(decision, permit)
        # The name tells whoever looks at the tasks of this process whose write it is.
        await group.create_task(work, name=f"write {decision.id}")
        return True

    def _soon(self, seconds: float) -> None:
        """Something may change by then."""
        at = self._clock.now().mono + seconds
        self._next = at if self._next is None else min(self._next, at)

    def _gates(self, node_id: str, now: Now) -> Gates:
        controller = self._controller
        term, why_not = self._actorship.term(), self._actorship.why_not()
        if term is not None and self._survival is not None:
            why_not = self._survival.ready_for(term)
            term = None if why_not else term
        room = controller.ceiling.room(node_id, now.mono)
        return Gates(self._dry_run, term, why_not, now, controller.pauses, room)

    def _history(self, rule: NodeRule, node_id: str) -> History:
        book, since = self._controller.book, self._controller.past_unknown_since
        history = book.history(node_id, rule.name)
        if since is not None and not book.knows(node_id, rule.name):
            return as_if_just_done(history, rule, since)
        return history

    def _permit(self, rule: NodeRule, node_id: str, term: int) -> Permit:
        controller = self._controller

        def withdrawn() -> str:
            pause = controller.pauses.on("", rule.name, self._clock.now())
            if pause is not None:
                return pause.sentence
            superseded = "" if self._survival is None else self._survival.ready_for(term)
            if superseded or takes_back(rule):
                return superseded
            same = rule in controller.rules.node_rules
            return "" if same else f"rule {rule.name} was changed or removed meanwhile"

        def spares(nodes: Mapping[str, Node]) -> str:
            now = self._clock.now()
            seen = self._evidence.nodes(failures=False, now=now)
            node = nodes[node_id]
            found = fence(replace(seen, nodes=nodes).of(node, self._others(nodes, node_id)))
            return "" if found is None else f"{node.name} must not be drained: {found.why}"

        return Permit(term, None, withdrawn, spares)

    def _others(self, nodes: Mapping[str, Node], node_id: str) -> dict[str, str]:
        drained = self._memory.drained(nodes, self._clock.now().mono)
        return {one: rule for one, rule in drained.items() if one != node_id}

    # One write

    async def _carry_out(self, decision: Decision, permit: Permit) -> None:
        outcome = Outcome(OutcomeKind.UNKNOWN, "the agent was stopped during the write")
        self._controller.ceiling.start(decision.node_id, decision.id)
        try:
            why_not = await self._intend(decision, permit)
            if why_not:
                outcome = Outcome(OutcomeKind.FAILED, why_not)
            else:
                outcome = await self._writer.write(decision, permit)
        finally:
            now = self._clock.now()
            self._controller.ceiling.end(decision.id, outcome, now.mono)
            self._controller.book.note_outcome(decision, outcome)
            self._memory.end(decision, outcome, now)
            self._observer.wrote(decision, outcome)
            if self._survival is not None:
                self._survival.changed()

    async def _intend(self, decision: Decision, permit: Permit) -> str:
        """Stores the write as if it had been applied, before anything of it is sent."""
        if self._survival is not None and isinstance(decision.action, SetAvailability):
            self._memory.begin(decision)
            why_not = await self._survival.save(permit.term)
            if why_not:
                return why_not
        if self._before_write is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(NOTE_MAY_TAKE):
                    await self._before_write(decision)
        return ""
