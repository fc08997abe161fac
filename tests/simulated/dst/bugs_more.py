"""More deliberate bugs, of kinds that an agent like this one could well have."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitor.act import guards as act_guards
from monitor.act import writer
from monitor.act.permit import Permit
from monitor.act.spec import changed_spec
from monitor.act.writer import Writer
from monitor.agent.acting import Agreement
from monitor.cluster.mirror import Mirror
from monitor.control import heritage, marks
from monitor.control.controller import Controller
from monitor.control.flight import Flight, Landing
from monitor.control.judge import Judge
from monitor.control.pauses import Pauses
from monitor.control.writes import WritesInFlight
from monitor.decide import metric, rates, restart_block, scale
from monitor.decide.readiness import TaskFacts, Terms
from monitor.decide.stabilize import Stabilized
from monitor.export.exposition import Exposition
from monitor.fleet import lease
from monitor.fleet.lease import Lease
from monitor.model.action import Action, ScaleTo
from monitor.model.decision import Decision
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.rule import AnyRule, RuleSet, ScaleRule
from monitor.model.scalar import Number
from monitor.model.service import Service
from monitor.model.task import Task
from monitor.model.usage import Sample
from monitor.model.view import ServiceView
from monitor.rulefile.load import LoadResult
from monitor.rulefile.read import Snapshot
from monitor.rulefile.watch import WatchedRules
from monitor.sources.entry import Entry
from monitor.usage.remote import RemoteUsage
from monitor.usage.remote_task import RemoteTask
from tests.simulated.dst.bug import bug
from tests.simulated.dst.bugs_listed import NEVER, no_guard, without

_sample = RemoteTask.sample


def _as_new(self: RemoteTask, *args: Any) -> Sample | None:
    found = _sample(self, *args[:-1], NEVER)
    return None if found is None else replace(found, age=0.0)


_facts_of = metric.facts_of


def _unseen_is_gone(
    view: ServiceView, task: Task, sample: Sample | None, terms: Terms
) -> TaskFacts:
    facts = _facts_of(view, task, sample, terms)
    return facts if facts.sampled_at is not None else replace(facts, gone=True)


_may_act = Controller.may_act


def _forgets_windows(self: Controller) -> None:
    for (service_id, rule), history in list(self.book.histories().items()):
        self.book.keep_history(service_id, rule, replace(history, recommendations=()))
    _may_act(self)


def _at_once(past: Any, current: int, proposed: int, **_: Any) -> Stabilized:
    return Stabilized(proposed)


def _zero_if_failed(self: Entry, now: float) -> Number | None:
    return Number(self.value if self.has_value(now) else 0.0, 0.0)


def _simpler(spec: Mapping[str, Any], action: Action) -> dict[str, Any]:
    """As a client makes it that knows only some of the fields."""
    changed = changed_spec(spec, action)
    changed.pop("UpdateConfig", None)
    return changed


def _in_bounds(
    service: Service, action: Action, changed: Any, bounds: tuple[int, int] | None
) -> Outcome | None:
    if not isinstance(action, ScaleTo) or bounds is None:
        return None
    within = bounds[0] <= action.replicas <= bounds[1]
    return None if within else act_guards.refuse("out of bounds")


_write = Writer.write


async def _until_answered(self: Writer, decision: Decision, permit: Permit) -> Outcome:
    outcome = await _write(self, decision, permit)
    for _ in range(3):
        if outcome.kind is not OutcomeKind.UNKNOWN:
            break
        await asyncio.sleep(0.5)
        outcome = await _write(self, decision, permit)
    return outcome


async def _not_noted(self: Controller, decision: Decision, view: ServiceView, permit: Any) -> str:
    return ""


async def _walks_out(self: Lease) -> None:
    self._stopping = True


_apply = WatchedRules._apply


def _without_rules(self: WatchedRules, snapshot: Snapshot, result: LoadResult) -> None:
    _apply(self, snapshot, result)
    if result.rules is None:
        self._rules = RuleSet()
        self._on_change(self._rules)


_scrape = Exposition.scrape


async def _whatever_is_held(self: Exposition, **parts: Any) -> bytes:
    return await _scrape(self, **(parts | {"fresh": True}))


_landing = Flight.landing


def _ours_whatever(self: Flight, view: ServiceView, now: float) -> Landing:
    found = _landing(self, view, now)
    return Landing.OWN if found is Landing.FOREIGN else found


_in_force = Judge.in_force


def _without_min(self: Judge, rule: AnyRule, now: Now) -> AnyRule:
    found = _in_force(self, rule, now)
    return replace(found, min=1) if isinstance(found, ScaleRule) else found


BUGS = (
    bug(
        "samples of the dead count on",
        "What a node's agent said last counts as new for as long as nothing newer comes.",
        (RemoteTask, "sample", _as_new),
        (RemoteUsage, "drop", lambda self, node_id: None),
    ),
    bug(
        "tasks without a sample left out",
        "The load is reckoned from those tasks alone of which there are samples.",
        (metric, "facts_of", _unseen_is_gone),
    ),
    bug(
        "no doubt while tasks are lost",
        "Scales down although a node was lost, tasks crash or are on their way.",
        (scale, "doubt", lambda *_: None),
    ),
    bug(
        "window forgotten at hand-over",
        "Who takes over the lease begins its stabilization windows anew, with nothing in them.",
        (Controller, "may_act", _forgets_windows),
    ),
    bug(
        "no stabilization",
        "Every dip is followed down at once.",
        (scale, "stabilize", _at_once),
    ),
    bug(
        "budget of each agent",
        "Restarts are not among what is kept for the next agent: each has a budget of its own.",
        (heritage, "encode_history", without("restarts")),
    ),
    bug(
        "pause of each agent",
        "The next actor knows nothing of the pauses that the one before was told of.",
        (Pauses, "from_state", staticmethod(lambda state, now: Pauses())),
    ),
    bug(
        "decision age not checked",
        "A decision is written however old it is.",
        (writer, "MAX_DECISION_AGE", NEVER),
    ),
    bug(
        "last number for ever",
        "The last good number of a source counts for as long as no newer one comes.",
        (Entry, "has_value", lambda self, now: self.value is not None),
    ),
    bug(
        "failed source is zero",
        "A source that cannot be read gives 0.",
        (Entry, "number", _zero_if_failed),
    ),
    bug(
        "restart into a rollout",
        "Restart rules write whatever rollout there is, paused ones too.",
        (restart_block, "rollout_guard", no_guard),
        (act_guards, "ROLLOUT_STATES", frozenset()),
    ),
    bug(
        "other rules do not matter",
        "Acts although another manager's agent has other rules.",
        (Agreement, "__call__", lambda self: ""),
    ),
    bug(
        "spec made anew",
        "What is written lacks a field that was read and is not understood.",
        *((part, "changed_spec", _simpler) for part in (writer, marks)),
        (writer, "check_change", _in_bounds),
    ),
    bug(
        "lost reply is no reply",
        "A write whose answer was lost is sent again.",
        (Writer, "write", _until_answered),
    ),
    bug(
        "lost reply is a failure",
        "A write whose answer was lost counts as not applied.",
        (writer, "AMBIGUOUS_FAULTS", ()),
    ),
    bug(
        "nothing noted before a write",
        "What is about to be written is stored after it, if the agent still lives then.",
        (Controller, "_intend", _not_noted),
    ),
    bug(
        "lease held for too long",
        "A holder goes on for a minute after its last renewal.",
        (lease, "HELD", 60.0),
    ),
    bug(
        "nothing checked last",
        "Lease, pauses and age are looked at when deciding alone, not right before the write.",
        (Writer, "_too_late", lambda self, decision, permit: None),
    ),
    bug(
        "a person's zero is a number",
        "What somebody scaled to 0 is scaled up again.",
        (scale, "_persons", lambda rule, history: False),
    ),
    bug(
        "no rates",
        "What was added within the period does not count against the rate.",
        (rates, "change_in", lambda events, period, now: 0),
    ),
    bug(
        "lease kept at the end",
        "An agent that stops does not give up its lease.",
        (Lease, "release", _walks_out),
    ),
    bug(
        "bad rules are no rules",
        "A file that cannot be read takes the rules away.",
        (WatchedRules, "_apply", _without_rules),
    ),
    bug(
        "metrics from memory",
        "/metrics shows what is held although no manager answers.",
        (Exposition, "scrape", _whatever_is_held),
    ),
    bug(
        "every new version is ours",
        "Whatever comes after an own write is taken for its result.",
        (Flight, "landing", _ours_whatever),
    ),
    bug(
        "decides during its own write",
        "A service is decided on anew while a write to it is on its way.",
        (WritesInFlight, "closed_until", lambda self, view, now: None),
    ),
    bug(
        "min ignored",
        "The rule's min is ignored.",
        (Judge, "in_force", _without_min),
    ),
    bug(
        "always in touch",
        "What is held counts as new however long no manager answered.",
        (Mirror, "fresh", property(lambda self: self.last_sync_mono is not None)),
    ),
)
