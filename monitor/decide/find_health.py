"""Conditions on a task's health, its state and its age."""

from monitor.decide import words
from monitor.decide.finding import Found, Look
from monitor.decide.holding import Held
from monitor.model.cause import Cause
from monitor.model.condition import HealthFlapping, OlderThan, StuckIn, UnhealthyFor
from monitor.model.container import Health
from monitor.model.decision import Input
from monitor.model.task import Task


def find_unhealthy(look: Look, condition: UnhealthyFor, task: Task) -> Found:
    changes = [one for one in look.evidence.health if one.task_id == task.id]
    newest = changes[-1] if changes else None
    since = newest.at if newest is not None and newest.health is Health.UNHEALTHY else None
    state, now = Held(since), look.now
    met = state.lasted(condition.for_seconds, now)
    lasted = None if since is None else now - since
    level = f"task {task.place[:12]} is unhealthy for {words.duration(lasted or 0.0)}"
    waits = words.duration(condition.for_seconds)
    return Found(
        condition,
        task,
        met=met,
        because=level if met else "",
        lasted=lasted,
        progress="" if lasted is None else f"{level}, the rule waits for {waits}",
        input=Input("unhealthy_for", task.id, lasted or 0.0, True),
        recheck=state.recheck(condition.for_seconds, now),
    )


def find_flapping(look: Look, condition: HealthFlapping, task: Task) -> Found:
    """The Swarm replaces a task that is unhealthy, so it is counted by place, not by task.

    A task whose change nobody heard of counts by the cause of its end.
    """
    now = look.now
    start = max(now - condition.within, look.counted_since)
    heard = [
        (one.task_id, one.at)
        for one in look.evidence.health
        if one.place == task.place and one.health is Health.UNHEALTHY
    ]
    known = {task_id for task_id, _ in heard}
    heard += [
        (end.task_id, end.at)
        for end in look.evidence.ends
        if end.place == task.place and end.cause is Cause.UNHEALTHY and end.task_id not in known
    ]
    times = sum(at > start for _, at in heard)
    within = words.duration(condition.within)
    text = f"task {task.place[:12]} became unhealthy {_times(times)} within {within}"
    met = times >= condition.count
    return Found(
        condition,
        task,
        met=met,
        because=text if met else "",
        lasted=float(times) if times else None,
        progress=f"{text}, the rule waits for {_times(condition.count)}" if times else "",
        input=Input("health_flapping", task.id, float(times), True),
    )


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def find_stuck(look: Look, condition: StuckIn, task: Task) -> Found:
    """As long as this agent has seen it in that state: states of nodes' own clocks may differ."""
    now, label = look.now, condition.state.label
    key = f"stuck_in {label} for {condition.for_seconds:g}|{task.id}"
    here = task.state is condition.state and not look.case.view.node_lost(task)
    since = look.past.get(key, now) if here else None
    state = Held(since)
    met = state.lasted(condition.for_seconds, now)
    lasted = None if since is None else now - since
    why = task.error or task.message
    because = f" ({why})" if why and why != label else ""
    text = f"task {task.place[:12]} is {label}{because} for {words.duration(lasted or 0.0)}"
    waits = words.duration(condition.for_seconds)
    return Found(
        condition,
        task,
        met=met,
        because=text if met else "",
        lasted=lasted,
        progress="" if lasted is None else f"{text}, the rule waits for {waits}",
        input=Input("stuck_in", task.id, lasted or 0.0, True, task.state.label),
        entries=state.entries(key),
        recheck=state.recheck(condition.for_seconds, now),
    )


def find_old(look: Look, condition: OlderThan, task: Task) -> Found:
    """Age by the wall clocks, so that it outlives every agent."""
    age = look.case.now.wall - task.since
    met = age >= condition.age
    text = f"task {task.place[:12]} has run for {words.duration(age)}"
    return Found(
        condition,
        task,
        met=met,
        because=text if met else "",
        lasted=age if met else None,
        input=Input("older_than", task.id, max(age, 0.0), True),
        recheck=None if met else condition.age - age,
    )
