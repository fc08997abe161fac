"""Deciding a rebalance rule for one service: whether a task of it is to be moved, and which.

A task is moved by stopping its container: the Swarm's scheduler puts the next one of that slot
where the fewest of the service are. One task at a time, and looked at anew after each.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.decide import pace, words
from monitor.decide.course import MOVES, with_deploy
from monitor.decide.guards import (
    guard_end,
    guard_recheck,
    guard_sentence,
    near_rollout,
    rollout_guard,
)
from monitor.decide.holding import Held, held
from monitor.decide.moves import Move, after, plan, skew
from monitor.decide.refusals import refusal
from monitor.decide.verdict import Case, Verdict, decision
from monitor.model.action import Action, RestartTask
from monitor.model.decision import Decision, Input, Stage
from monitor.model.evidence import Evidence, Spot
from monitor.model.history import Course, History
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.rule import RebalanceRule
from monitor.model.service import ServiceMode
from monitor.model.task import Task
from monitor.model.view import ServiceView

SKEWED = "skewed"
JOINED_FOR = 3600.0
"""Seconds for which a node that joined is a reason: what is uneven later has another one."""

TURN = 2.0
"""Seconds after which a service looks again whether its turn has come: no fact of its own tells."""

MOST_IN_VAIN = 2
"""Moves in a row after which nothing was more even, that end the trying."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """The tasks of a service by node, and what would even them out."""

    case: Case
    rule: RebalanceRule
    evidence: Evidence
    spots: tuple[Spot, ...]
    counts: Counter[str]
    moves: tuple[Move, ...]
    skew: int
    held: Held
    course: Course

    def wait(self, reason: Reason, text: str, ends: str, recheck: float | None = None) -> Verdict:
        return Verdict(
            desired=self.case.view.service.replicas,
            reason=reason,
            text=text,
            stages=(Stage(MOVES, float(len(self.moves)), self.picture),),
            inputs=tuple(_input(spot, self.counts) for spot in self.spots),
            recheck_after=recheck,
            binding=reason.value if reason.blocks else "",
            would_change=ends,
        )

    @property
    def picture(self) -> str:
        """`n1 4, n2 4, n3 0 becomes n1 3, n2 3, n3 2`."""
        before = _told(self.counts, self.spots)
        if not self.moves:
            return before
        then = after(self.counts, self.spots, self.moves)
        return f"{before} becomes {_told(then, self.spots)}"


def _told(counts: dict[str, int] | Counter[str], spots: Sequence[Spot]) -> str:
    return ", ".join(f"{spot.name} {counts.get(spot.node_id, 0)}" for spot in spots)


def _input(spot: Spot, counts: Counter[str]) -> Input:
    note = spot.name if spot.free is None else f"{spot.name}, room for {spot.free} more"
    return Input("tasks", "", float(counts[spot.node_id]), True, note)


def decide_rebalance(
    rule: RebalanceRule,
    view: ServiceView,
    history: History,
    now: Now,
    *,
    own_service: bool,
    evidence: Evidence,
) -> Decision:
    """`evidence.spots`: the nodes that may run the service, with room by its reservations."""
    case = Case(rule, view, history, now)
    refused = refusal(case, own_service=own_service) or _never(case)
    course = with_deploy(history.course, view.service, now.mono)
    if refused is not None:
        return decision(case, refused, holding=history.holding, course=course)
    if evidence.spots is None:
        text, ends = "is not judged: its nodes are not known yet", "its nodes are known"
        unknown = Verdict(
            desired=view.service.replicas,
            reason=Reason.MISSING_SAMPLES,
            text=text,
            would_change=ends,
        )
        return decision(case, unknown, holding=history.holding, course=course)
    layout = _layout(case, rule, evidence, evidence.spots, course)
    due, recheck = _due(layout)
    verdict = _calm(layout, recheck) if not due else _blocked(layout)
    action: Action | None = None
    if verdict is None:
        task = _task(layout, layout.moves[0])
        verdict = _container(layout, task)
        if verdict is None and task is not None:
            verdict, action = _moved(layout, task)
    assert verdict is not None, "a task that runs on the crowded node can be moved"
    return decision(case, verdict, action, layout.held.entries(SKEWED), course=layout.course)


def _never(case: Case) -> Verdict | None:
    """Services of which no task can be moved with any gain."""
    service = case.view.service
    if service.mode is not ServiceMode.REPLICATED or service.replicas is None:
        text = f"is not rebalanced: its mode is {service.mode.value}, with one task on each node"
        return _pointless(case, Reason.UNSUPPORTED_MODE, text, "a replicated service")
    if service.replicas < 2:
        text = (
            f"is not rebalanced: it has {words.replicas(service.replicas)}, "
            "and a move would be an outage"
        )
        return _pointless(case, Reason.POINTLESS, text, "it has at least 2 replicas")
    if not service.restarts.always:
        text = (
            "is not rebalanced: its restart_policy does not replace every task that ends, so a "
            "task that is stopped might stay so"
        )
        ends = "its restart_policy is condition: any without max_attempts"
        return _pointless(case, Reason.RESTART_POLICY, text, ends)
    if service.spreads:
        text = "is not rebalanced: its placement preferences spread it by something else than nodes"
        return _pointless(case, Reason.POINTLESS, text, "it has no placement preferences")
    return None


def _pointless(case: Case, reason: Reason, text: str, ends: str) -> Verdict:
    return Verdict(
        desired=case.view.service.replicas,
        reason=reason,
        text=text,
        binding=reason.value,
        would_change=ends,
    )


def _layout(
    case: Case, rule: RebalanceRule, evidence: Evidence, known: tuple[Spot, ...], course: Course
) -> _Layout:
    spots = tuple(sorted(known, key=lambda spot: (spot.name, spot.node_id)))
    counts = Counter(task.node_id for task in case.view.live_tasks if task.node_id)
    moves, uneven = plan(counts, spots), skew(counts, spots)
    state = held(SKEWED, uneven > rule.skew_above, dict(case.history.holding), case.now.mono)
    names = " ".join(spot.node_id for spot in spots)
    if course.layout != names:
        # A move that is under way stays so: other services wait until all tasks run again.
        under_way = None if _settled(case) else course.moves_needed
        course = replace(course, layout=names, moves_needed=under_way, moves_in_vain=0)
    elif course.moves_needed is not None and _settled(case):
        in_vain = 0 if len(moves) < course.moves_needed else course.moves_in_vain + 1
        course = replace(course, moves_needed=None, moves_in_vain=in_vain)
    return _Layout(case, rule, evidence, spots, counts, moves, uneven, state, course)


def _settled(case: Case) -> bool:
    return len(case.view.running_tasks) == case.view.desired


def _due(layout: _Layout) -> tuple[bool, float | None]:
    """Whether to move now, or when time alone may make it so."""
    rule, now = layout.rule, layout.case.now.mono
    if not layout.moves:
        return False, None
    waits: list[float] = []
    if rule.for_seconds is not None:
        if layout.held.lasted(rule.for_seconds, now):
            return True, None
        wait = layout.held.recheck(rule.for_seconds, now)
        waits += [] if wait is None else [wait]
    if rule.node_joined is not None:
        joined = [s.joined_at for s in layout.spots if s.joined_at is not None]
        # The newest: several nodes that come one after the other are waited for.
        wait_joined = max(joined, default=-math.inf) + rule.node_joined - now
        if -JOINED_FOR <= wait_joined <= 0:
            return True, None
        waits += [wait_joined] if wait_joined > 0 else []
    return False, min(waits, default=None)


def _calm(layout: _Layout, recheck: float | None) -> Verdict:
    if not layout.moves:
        if layout.skew > 1:
            text = f"is as even as its nodes allow, {layout.picture}: {_short(layout)}"
            return layout.wait(Reason.CAPACITY, text, "a node with fewer tasks has room")
        barred = _barred(layout)
        text = f"is as even as {'its placement allows' if barred else 'can be'}: {layout.picture}"
        text += f"; {barred}" if barred else ""
        return layout.wait(Reason.BALANCED, text, f"its skew is above {layout.rule.skew_above}")
    if recheck is not None:
        left = words.duration(recheck)
        text = f"is not rebalanced yet: {layout.picture}; it is looked at again in {left}"
        return layout.wait(Reason.BALANCED, text, f"the same in {left}", recheck)
    text = f"is left as it is: {layout.picture}, and the rule waits for more than that"
    return layout.wait(Reason.BALANCED, text, f"its skew is above {layout.rule.skew_above}")


def _short(layout: _Layout) -> str:
    """What the nodes with fewer tasks lack, each of them once."""
    most = max(layout.counts[spot.node_id] for spot in layout.spots)
    full = [s for s in layout.spots if s.free == 0 and layout.counts[s.node_id] + 1 < most]
    told = ", ".join(f"{spot.name} ({spot.short})" if spot.short else spot.name for spot in full)
    return f"no room on {told}"


def _barred(layout: _Layout) -> str:
    """Why nodes without a task are left as they are, where they would else make it uneven."""
    counts = [layout.counts[spot.node_id] for spot in layout.spots]
    if not layout.evidence.barred or max(counts, default=0) <= 1:
        return ""
    first, *others = layout.evidence.barred
    more = f", and {len(others)} more nodes" if len(others) > 1 else ""
    one_more = f", nor on {others[0].name} ({others[0].why})" if len(others) == 1 else ""
    return f"the Swarm puts none on {first.name} by {first.why}{one_more}{more}"


def _blocked(layout: _Layout) -> Verdict | None:
    case, view, now = layout.case, layout.case.view, layout.case.now
    due = f"is due to be rebalanced ({layout.picture})"
    if layout.course.moves_in_vain >= MOST_IN_VAIN:
        text = (
            f"is not rebalanced any more: {layout.course.moves_in_vain} moves brought nothing, "
            f"since the Swarm placed the tasks elsewhere ({layout.picture})"
        )
        return layout.wait(Reason.POINTLESS, text, "a node joins or leaves")
    if layout.evidence.rebalancing:
        other = layout.evidence.rebalancing
        text = f"{due}, after {other}: one service at a time"
        return layout.wait(Reason.ONE_AT_A_TIME, text, f"{other} is done", TURN)
    deploy = layout.course.deploy
    if deploy is not None and deploy.at is not None:
        wait = deploy.at + layout.rule.quiet_after_deploy - now.mono
        if wait > 0:
            left = words.duration(wait)
            text = f"{due}, but was just deployed; it is left to settle for another {left}"
            return layout.wait(Reason.QUIET_AFTER_DEPLOY, text, f"the same in {left}", wait)
    own = case.history.own_version
    guard = rollout_guard(view, own, now)
    if guard is not None:
        text = f"{guard_sentence(view, guard, now)}; it is due to be rebalanced: {layout.picture}"
        return layout.wait(guard, text, guard_end(view, guard), guard_recheck(view, own, now))
    wait_near = near_rollout(view, now)
    if wait_near is not None:
        left = words.duration(wait_near)
        text = f"{due}, but its rollout has just ended; it is left alone for another {left}"
        return layout.wait(Reason.ROLLOUT_IN_PROGRESS, text, f"the same in {left}", wait_near)
    if not _settled(case):
        text = f"{due}, which waits until all tasks run: {len(view.running_tasks)} of "
        return layout.wait(Reason.NOT_CONVERGED, f"{text}{view.desired} do", "all of its tasks run")
    wait_budget = pace.budget_wait(layout.rule.budget, case.history.restarts, now.mono)
    if wait_budget is not None:
        budget, left = layout.rule.budget, words.duration(wait_budget)
        text = (
            f"{due}, but had {budget.count} tasks moved within {words.duration(budget.within)}; "
            f"the next is allowed in {left}"
        )
        return layout.wait(Reason.BUDGET, text, f"the same in {left}", wait_budget)
    return None


def _task(layout: _Layout, move: Move) -> Task | None:
    """The youngest on the crowded node: it has least to lose. None: what is there has to start."""
    there = [task for task in layout.case.view.running_tasks if task.node_id == move.source]
    return max(there, key=lambda task: (task.since, task.slot or 0, task.id), default=None)


def _container(layout: _Layout, task: Task | None) -> Verdict | None:
    if task is None:
        text = f"is due to be rebalanced ({layout.picture}), which waits until its tasks run"
        return layout.wait(Reason.NOT_CONVERGED, text, "all of its tasks run")
    place, node = task.place[:12], _name(layout, task.node_id)
    if not task.container_id:
        text = f"is due to be rebalanced, but task {place} has no container yet"
        return layout.wait(Reason.NOT_CONVERGED, text, "its container is known")
    agents = layout.evidence.agents
    if agents is not None and task.node_id not in agents:
        text = f"is due to be rebalanced, but the agent on {node} is not heard"
        return layout.wait(Reason.NO_AGENT, text, f"the agent on {node} is heard")
    return None


def _name(layout: _Layout, node_id: str) -> str:
    return next((spot.name for spot in layout.spots if spot.node_id == node_id), node_id)


def _moved(layout: _Layout, task: Task) -> tuple[Verdict, Action]:
    first, count = layout.moves[0], len(layout.moves)
    source, target = _name(layout, first.source), _name(layout, first.target)
    moves = "1 move" if count == 1 else f"{count} moves"
    text = (
        f": move task {task.place[:12]} from {source}, most likely to {target}; "
        f"{moves} in all: {layout.picture}"
    )
    verdict = layout.wait(Reason.SKEWED, text, "its tasks are spread evenly")
    return verdict, RestartTask(task.id, task.node_id, task.container_id, task.place, move=True)
