"""Deliberate bugs that showed what the checkers did not see yet, and others of their kinds."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

from monitor.act.writer import Writer
from monitor.agent.core import Core
from monitor.agent.identity import Identity
from monitor.agent.series import Series
from monitor.control import assignment, controller
from monitor.control.assignment import Assignments, Claim
from monitor.control.book import Book
from monitor.control.gates import Gates
from monitor.control.marks import Mark
from monitor.control.pauses import Pauses
from monitor.decide import holds, scale, stabilize
from monitor.decide.holds import Hold
from monitor.decide.verdict import Case
from monitor.export.agent_metrics import AgentMetrics
from monitor.fleet.lease import Lease
from monitor.model.config import Config
from monitor.model.decision import Decision
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.pause import Pause, PauseScope
from monitor.model.rule import RuleMode, RuleSet, ScaleRule
from monitor.model.selector import Selector
from monitor.model.service import Service
from monitor.ports.errors import Conflict
from monitor.rulefile.load import LoadResult
from monitor.rulefile.read import Snapshot
from monitor.rulefile.watch import WatchedRules
from tests.simulated.dst.bug import bug

_stabilize = stabilize.stabilize


def _half(past: Any, current: int, proposed: int, **windows: float) -> Any:
    windows["down_window"] /= 2
    return _stabilize(past, current, proposed, **windows)


def _a_little_shorter(past: Any, current: int, proposed: int, **windows: float) -> Any:
    windows["down_window"] -= 3.0
    return _stabilize(past, current, proposed, **windows)


def _lowest(past: Any, current: int, proposed: int, **windows: float) -> Any:
    value = stabilize.lowest(past, proposed, windows["down_window"], windows["now"])
    return stabilize.Stabilized(value if proposed < current else proposed)


def _no_end(past: Any, current: int, proposed: int, **windows: float) -> Any:
    return _stabilize(past, current, proposed, **(windows | {"down_window": 1e9}))


_post = Writer._post


async def _as_applied(self: Writer, write: Awaitable[None], posted: str) -> Outcome:
    outcome = await _post(self, write, posted)
    if outcome.kind is OutcomeKind.CONFLICT:
        return Outcome(OutcomeKind.APPLIED, posted=posted)
    return outcome


def _without_clearing(self: Assignments, rules: RuleSet) -> None:
    self.rules = rules


_apply = WatchedRules._apply


def _takes_effect(self: WatchedRules, snapshot: Snapshot, result: LoadResult) -> None:
    _apply(self, snapshot, result)
    if result.rules is None:
        self._on_change(RuleSet())


_changed = Series.changed


def _only_new(self: Series, service_ids: Any) -> None:
    known = self._cluster._views
    _changed(self, [one for one in service_ids if one not in known])


async def _gives_up(self: Core, control: set[asyncio.Task[None]]) -> None:
    for one in control:
        one.cancel()
    await asyncio.wait(control)


def _other_way(case: Case, rule: ScaleRule, wanted: int) -> Hold | None:
    up, down = rule.scale_up, rule.scale_down
    turned = replace(
        rule,
        scale_up=replace(up, cooldown=down.cooldown),
        scale_down=replace(down, cooldown=up.cooldown),
    )
    return _brake(case, turned, wanted)


_brake = holds.brake
_lease_write = Lease._write


async def _by_force(self: Lease, config: Config | None, term: int) -> None:
    try:
        await _lease_write(self, config, term)
    except Conflict:
        await self._look()
        await _lease_write(self, self._sight.config, term)


_admit = Gates.admit


def _acts_anyway(self: Gates, decision: Decision, rule: Any, write_is_due: bool) -> Decision:
    return _admit(self, decision, replace(rule, mode=RuleMode.ACT), write_is_due)


_record = Book.record


def _what_acts(self: Book, decision: Decision, recorded: Any = None) -> bool:
    return decision.action is not None and _record(self, decision, recorded)


_action = AgentMetrics.action


def _what_worked(
    self: AgentMetrics, rule: str, service: str, action: str, outcome: str, at: float
) -> None:
    if outcome == "applied":
        _action(self, rule, service, action, outcome, at)


_on = Pauses.on


def _of_services(self: Pauses, service_name: str, rule: str, now: Now) -> Pause | None:
    found = _on(self, service_name, rule, now)
    return found if found and found.scope is PauseScope.SERVICE else None


_matches = Selector.matches


def _with_excluded(self: Selector, service: Service) -> bool:
    return _matches(replace(self, exclude=()), service)


BUGS = (
    bug(
        "a hole is calm",
        "What an agent did not see while it was frozen or out of touch asked for nothing.",
        (controller, "after_absence", lambda history, now: history),
    ),
    bug(
        "lowest of the window",
        "The lowest wish of the stabilization window is followed down, and not the highest.",
        (scale, "stabilize", _lowest),
    ),
    bug(
        "half a window",
        "Only half of the stabilization window counts.",
        (scale, "stabilize", _half),
    ),
    bug(
        "a window a little shorter",
        "The stabilization window is 3 s shorter than the rule says.",
        (scale, "stabilize", _a_little_shorter),
    ),
    bug(
        "windows that never end",
        "What was needed once is never taken away again.",
        (scale, "stabilize", _no_end),
    ),
    bug(
        "a conflict is success",
        "A write that was refused for its version counts as applied.",
        (Writer, "_post", _as_applied),
    ),
    bug(
        "claims of before",
        "New rules reach a service once it changes.",
        (Assignments, "use", _without_clearing),
    ),
    bug(
        "a bad file takes effect",
        "What is shown of the rules is right after a bad file, and none are followed.",
        (WatchedRules, "_apply", _takes_effect),
    ),
    bug(
        "series of the first time",
        "/metrics shows services as they were when they were seen first.",
        (Series, "changed", _only_new),
    ),
    bug(
        "decisions that are not kept",
        "Of decisions that do nothing none is kept to be asked for.",
        (Book, "record", _what_acts),
    ),
    bug(
        "failures that are not counted",
        "/metrics counts writes that were applied, and no others.",
        (AgentMetrics, "action", _what_worked),
    ),
    bug(
        "writes given up at the end",
        "An agent that stops does not wait for what became of its write.",
        (Core, "_finish_writes", _gives_up),
    ),
    bug(
        "dry run acts",
        "Rules on dry run act.",
        (Gates, "admit", _acts_anyway),
    ),
    bug(
        "rivals both act",
        "Of two rules that scale one service both do it.",
        (assignment, "Claim", lambda rule, rivals=(): Claim(rule)),
    ),
    bug(
        "its own service is any other",
        "An agent does not know which service it runs in.",
        (Identity, "own_service_id", lambda self: None),
    ),
    bug(
        "exclude ignored",
        "A rule is also about what it excludes.",
        (Selector, "matches", _with_excluded),
    ),
    bug(
        "pauses of services alone",
        "A pause of everything, or of a rule, holds nothing back.",
        (Pauses, "on", _of_services),
    ),
    bug(
        "cooldown of the other direction",
        "Up waits for the cooldown of down, and down for that of up.",
        (scale, "brake", _other_way),
    ),
    bug(
        "marks count for nothing",
        "A write of which only the intent was stored is not counted.",
        (Mark, "counted", lambda self, history, now, fate=None: history),
    ),
    bug(
        "lease by force",
        "A renewal that finds another version is sent again with that one.",
        (Lease, "_write", _by_force),
    ),
)
