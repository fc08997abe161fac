"""The deliberate bugs that every release of these tests must catch."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from monitor.act import guards as act_guards
from monitor.act import writer
from monitor.act.permit import Permit
from monitor.act.writer import Writer
from monitor.agent.acting import Acting
from monitor.cluster.agenda import Agenda
from monitor.cluster.mirror import Mirror
from monitor.control import controller, heritage
from monitor.control.judge import Judge
from monitor.control.survival import Survival
from monitor.decide import guards, holds, record_write, restart_block, verdict
from monitor.decide.verdict import Case
from monitor.fleet.lease_sight import Sight
from monitor.model.decision import Decision
from monitor.model.event import Event
from monitor.model.history import History
from monitor.model.node import Node, NodeState
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.peer import UsageReport
from monitor.model.reason import Reason
from monitor.model.rule import AnyRule, ScaleRule
from monitor.model.service import Service, UpdateState
from monitor.model.task import TaskState
from monitor.model.usage import MetricKind, Sample
from monitor.model.view import ServiceView
from monitor.usage.everywhere import EverywhereUsage
from monitor.usage.remote import RemoteUsage
from tests.simulated.dst.bug import bug

EPOCH = 1_750_000_000.0
NEVER = 1e9

_write = Writer.write


class _NewestVersion:
    """An engine to which all is written with the version that was read last."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    async def service(self, service_id: str) -> Service:
        self._read: Service = await self._engine.service(service_id)
        return self._read

    async def update_service(self, service_id: str, version: int, spec: Any) -> None:
        await self._engine.update_service(service_id, self._read.version, spec)


_check = writer.check_service


def _whatever_version(decision: Decision, service: Service, own: str | None) -> Outcome | None:
    return _check(replace(decision, version=service.version), service, own)


async def _unchecked(self: Writer, decision: Decision, permit: Permit) -> Outcome:
    engine: Any = _NewestVersion(self.engine)
    return await _write(replace(self, engine=engine), decision, permit)


async def _again(self: Writer, decision: Decision, permit: Permit) -> Outcome:
    outcome = await _write(self, decision, permit)
    if outcome.kind is not OutcomeKind.CONFLICT:
        return outcome
    await asyncio.sleep(0.2)
    service = await self.engine.service(decision.service_id)
    return await _write(self, replace(decision, version=service.version), permit)


def no_guard(view: ServiceView, own_version: int | None, now: Now) -> Reason | None:
    return None if view.fresh else Reason.OUT_OF_SYNC


_hint = Mirror.hint


def _believe(self: Mirror, event: Event) -> None:
    """The event itself tells what is so from now on; nothing is read again for it."""
    held = self._holdings
    known = held.services.get(event.actor_id)
    told = event.attributes
    if event.type == "service" and known is not None and event.action == "update":
        changed = known
        if "replicas.new" in told:
            changed = replace(changed, replicas=int(told["replicas.new"]))
        if told.get("updatestate.new"):
            changed = replace(changed, update_state=UpdateState(told["updatestate.new"]))
        if changed is not known:
            held._services[known.id] = changed
            self._on_change(frozenset({known.id}))
            return
    if event.type == "container" and event.service_id and event.action == "die":
        tasks = held._tasks.get(event.service_id)
        for task in tasks.ordered if tasks else ():
            if task.container_id == event.actor_id and not task.state.ended:
                failed = replace(task, state=TaskState.FAILED)
                tasks.ordered = tuple(failed if one is task else one for one in tasks.ordered)
                self._on_change(frozenset({event.service_id}))
        return
    _hint(self, event)


_agenda = Agenda.__init__


def _lists_once(self: Agenda, relist_interval: float) -> None:
    _agenda(self, NEVER)


_cooldown = holds._cooldown


def _at_wall(history: History, decision: Decision, now: Now) -> History:
    return record_write(history, decision, Now(now.wall - EPOCH, now.wall))


def _by_the_wall(case: Case, seconds: float, name: str) -> Any:
    return _cooldown(replace(case, now=Now(case.now.wall - EPOCH, case.now.wall)), seconds, name)


_encode = heritage.encode_history


def without(*keys: str) -> Any:
    def encode(history: History, now: Now) -> dict[str, Any]:
        return {key: value for key, value in _encode(history, now).items() if key not in keys}

    return encode


_samples = EverywhereUsage.samples


def _zeros(
    self: EverywhereUsage,
    task_ids: Iterable[str],
    kind: MetricKind,
    window: float,
    rising_window: float,
    now: float,
) -> Mapping[str, Sample]:
    wanted = list(task_ids)
    zero = Sample(value=0.0, age=0.0, rising=0.0, span=window)
    known = _samples(self, wanted, kind, window, rising_window, now)
    return dict.fromkeys(wanted, zero) | dict(known)


def _without_lease(self: Acting) -> int | None:
    lease: Any = self._lease
    return lease.term() or lease._sight.highest or None


async def _as_if_saved(self: Survival, term: int) -> str:
    return ""


_take = RemoteUsage.take


def _by_the_senders_wall(
    self: RemoteUsage, node_id: str, report: UsageReport, received: float | None = None
) -> int:
    """How old readings are is told by the wall clocks of two nodes."""
    now = self._clock.now()
    return _take(self, node_id, report, now.mono - (now.wall - report.wall))


_in_force = Judge.in_force


def _without_max(self: Judge, rule: AnyRule, now: Now) -> AnyRule:
    found = _in_force(self, rule, now)
    return replace(found, max=1000) if isinstance(found, ScaleRule) else found


BUGS = (
    bug(
        "no version check",
        "A write goes out with whatever version the service has by then.",
        (Writer, "write", _unchecked),
        (writer, "check_service", _whatever_version),
    ),
    bug(
        "no rollout guard",
        "Services are written to while they are being updated or rolled back.",
        *((part, "rollout_guard", no_guard) for part in (guards, restart_block, verdict)),
        (act_guards, "ROLLOUT_STATES", frozenset()),
    ),
    bug(
        "nil UpdateStatus gap",
        "Where no update status is set, no rollout is thought to be about to begin.",
        (guards, "_settled", lambda view, now: True),
    ),
    bug(
        "events taken as truth",
        "What an event says is put into the mirror, and nothing is read again.",
        (Mirror, "hint", _believe),
    ),
    bug(
        "no re-list",
        "All is listed at the beginning and never again while nothing breaks.",
        (Agenda, "__init__", _lists_once),
    ),
    bug(
        "wall clock in cooldowns",
        "How long ago a change was is told by the wall clock, which may be set meanwhile.",
        (holds, "_cooldown", _by_the_wall),
        (controller, "record_write", _at_wall),
    ),
    bug(
        "cooldown lost at restart",
        "Changes of replicas are not among what is kept for the next agent.",
        (heritage, "encode_history", without("events")),
    ),
    bug(
        "zero for a missing sample",
        "A task of which there is no sample counts as using nothing.",
        (EverywhereUsage, "samples", _zeros),
    ),
    bug(
        "acting without the lease",
        "A manager's agent acts also where another one has the lease.",
        (Acting, "term", _without_lease),
        (Survival, "ready_for", lambda self, term: ""),
        (Survival, "save", _as_if_saved),
    ),
    bug(
        "two actors at once",
        "The lease is taken over a second after its last renewal was seen.",
        (Sight, "free_at", lambda self: self.changed_at + 1.0),
    ),
    bug(
        "retry without re-deciding",
        "After a conflict the same number is sent again with the newer version.",
        (Writer, "write", _again),
    ),
    bug(
        "unknown nodes counted as down",
        "Tasks on a node of which managers do not know whether it is there count as lost.",
        (Node, "lost", property(lambda self: self.state is not NodeState.READY)),
    ),
    bug(
        "skewed clock on one node",
        "The age of what a node reports is told from its wall clock and the own one.",
        (RemoteUsage, "take", _by_the_senders_wall),
    ),
    bug(
        "unbounded up-step",
        "The rule's max is ignored.",
        (Judge, "in_force", _without_max),
    ),
)
