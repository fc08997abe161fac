"""What the conditions of a restart rule come to: for which tasks they hold, or for the service."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.decide.breaker import WHOLE, closed_by, judged
from monitor.decide.course import with_deploy, with_handled
from monitor.decide.find_ends import find_exits, find_ooms
from monitor.decide.find_health import find_flapping, find_old, find_stuck, find_unhealthy
from monitor.decide.find_moments import find_cron, find_restarted
from monitor.decide.find_usage import find_number, find_usage
from monitor.decide.finding import Found, Look, merged, planned, satisfied, takes
from monitor.decide.guards import rollout_guard
from monitor.decide.holding import Entries, bound_of
from monitor.decide.verdict import Case
from monitor.model.condition import (
    Cron,
    Exits,
    HealthFlapping,
    NumberBeyond,
    OlderThan,
    OomKills,
    Restarted,
    StuckIn,
    UnhealthyFor,
)
from monitor.model.decision import Input
from monitor.model.evidence import Evidence
from monitor.model.history import Course
from monitor.model.rule import Leaf, RestartRule, TaskCondition
from monitor.model.service import Service
from monitor.model.sources import leaves
from monitor.model.task import Task, TaskState
from monitor.model.usage import Usage


@dataclass(frozen=True, slots=True)
class Findings:
    """qualified: tasks for which the rule's conditions hold, in the order of their places.

    whole: whether they hold for the service by itself. course: what is to be remembered.
    problem: a clause on why a condition cannot be judged at all, "" where all can.
    """

    found: tuple[Found, ...]
    qualified: tuple[Task, ...]
    whole: bool
    course: Course
    problem: str = ""

    @property
    def due(self) -> bool:
        return self.whole or bool(self.qualified)

    @property
    def holding(self) -> Entries:
        return merged(one.entries for one in self.found)

    @property
    def inputs(self) -> tuple[Input, ...]:
        return tuple(one.input for one in self.found if one.input is not None)

    @property
    def met(self) -> tuple[Found, ...]:
        return tuple(one for one in self.found if one.met)

    @property
    def handles(self) -> tuple[str, ...]:
        """Keys of the moments that an action deals with."""
        keys = {_key(one.condition) for one in self.met if one.task is None}
        return tuple(sorted(keys - {""}))

    @property
    def trial(self) -> bool:
        """Whether anything holds that does not come back by its nature."""
        return any(not planned(one.condition) for one in self.met)


def look(case: Case, rule: RestartRule, usage: Usage, evidence: Evidence) -> Findings:
    history, now = case.history, case.now.mono
    course = with_deploy(history.course, case.view.service, now)
    deployed = None if course.deploy is None else course.deploy.at
    dealt_with = (*history.restarts[-1:], *(() if deployed is None else (deployed,)))
    counted = max(dealt_with, default=-math.inf)
    ground = Look(case, rule, usage, evidence, course, dict(history.holding), counted)
    conditions = list(leaves(rule.when))
    of_service = [one for leaf in conditions if (one := _of_service(ground, leaf)) is not None]
    shared = {one.condition: one.met for one in of_service}
    tasks = [task for task in case.view.tasks if task.live and not case.view.node_lost(task)]
    found, qualified = list(of_service), list[Task]()
    for task in sorted(tasks, key=lambda t: (t.slot or 0, t.node_id, t.id)):
        own = [one for leaf in conditions if (one := _of_task(ground, leaf, task)) is not None]
        found += own
        met = {one.condition: one.met for one in own}
        if any(met.values()) and satisfied(rule.when, shared | met):
            qualified.append(task)
    keys = [_key(leaf) for leaf in conditions]
    course = with_handled(course, (one.handled for one in found), keys)
    problems = (_problem(case.view.service, leaf) for leaf in conditions)
    findings = Findings(
        tuple(found),
        tuple(qualified),
        satisfied(rule.when, shared),
        course,
        next((problem for problem in problems if problem), ""),
    )
    return _with_breaker(case, rule, findings)


def _of_service(ground: Look, leaf: Leaf) -> Found | None:
    match leaf:
        case OomKills():
            return find_ooms(ground, leaf)
        case Exits():
            return find_exits(ground, leaf)
        case Cron():
            return find_cron(ground, leaf)
        case NumberBeyond():
            return find_number(ground, leaf)
        case Restarted():
            return find_restarted(ground, leaf)
        case _:
            return None


def _of_task(ground: Look, leaf: Leaf, task: Task) -> Found | None:
    """What a task uses, how old and how healthy it is counts while it runs alone."""
    if isinstance(leaf, StuckIn):
        return find_stuck(ground, leaf, task)
    if task.state is not TaskState.RUNNING:
        return None
    match leaf:
        case TaskCondition():
            return find_usage(ground, leaf, task)
        case UnhealthyFor():
            return find_unhealthy(ground, leaf, task)
        case HealthFlapping():
            return find_flapping(ground, leaf, task)
        case OlderThan():
            return find_old(ground, leaf, task)
        case _:
            return None


def _problem(service: Service, leaf: Leaf) -> str:
    match leaf:
        case TaskCondition():
            return bound_of(leaf, service).problem
        case UnhealthyFor() | HealthFlapping() if not service.has_health_check:
            return f"{service.name} has no health check that could fail: give it one (healthcheck:)"
        case _:
            return ""


def _key(leaf: Leaf) -> str:
    return leaf.key if isinstance(leaf, Cron | Restarted) else ""


def _with_breaker(case: Case, rule: RestartRule, findings: Findings) -> Findings:
    """Judges the restarts made so far by what holds now."""
    if not rule.action.restarts:
        return findings
    now, soon = case.now.mono, takes(rule.when) + rule.breaker.within
    places = {task.place for task in findings.qualified}
    if findings.whole:
        places.add(WHOLE)
    state = judged(
        findings.course.breaker,
        rule.breaker,
        places if findings.trial else (),
        soon=soon,
        memory=max(soon, rule.budget.within, rule.backoff.max),
        now=now,
    )
    well = not findings.due and converged(case, ())
    state = closed_by(state, rule.breaker, findings.course.deploy, well=well, now=now)
    if state == findings.course.breaker:
        return findings
    return replace(findings, course=replace(findings.course, breaker=state))


def converged(case: Case, stuck: Sequence[Task]) -> bool:
    """No rollout goes on and all tasks run, but for those that are stuck."""
    view = case.view
    if rollout_guard(view, case.history.own_version, case.now) is not None:
        return False
    waiting = sum(task.state is not TaskState.RUNNING for task in stuck)
    return len(view.running_tasks) + waiting == view.desired
