"""Conditions on what a task uses, and on a number for the whole service."""

import math

from monitor.decide import words
from monitor.decide.finding import Found, Look
from monitor.decide.holding import Bound, Held, bound_of, held
from monitor.decide.numbers import LEAST_STALE, STALE_INTERVALS
from monitor.model.condition import NumberBeyond
from monitor.model.decision import Input
from monitor.model.rule import TaskCondition
from monitor.model.task import Task
from monitor.model.usage import Sample


def find_usage(look: Look, condition: TaskCondition, task: Task) -> Found:
    bound, now = bound_of(condition, look.case.view.service), look.now
    sample = look.usage.samples.get(bound.kind.value, {}).get(task.id)
    state = bound.observe(task.id, sample, look.past, now)
    met = state.lasted(condition.for_seconds, now)
    lasted = None if state.since is None else now - state.since
    # Nearly always it does not hold at all: then there is nothing to put into words.
    level = "" if state.since is None else _level(task, bound, sample)
    return Found(
        condition,
        task,
        met=met,
        because=f"{level} for {words.duration(lasted or 0.0)}" if met else "",
        lasted=lasted,
        progress=_progress(task, bound, state, level, now),
        gap=state.gap is not None,
        unknown=state.gap is not None or sample is None,
        input=Input(
            condition.kind.value,
            task.id,
            None if sample is None else sample.value,
            state.gap is None and sample is not None,
            "no sample" if sample is None else "",
        ),
        entries=state.entries(bound.key(task.id)),
        recheck=state.recheck(condition.for_seconds, now),
    )


def _progress(task: Task, bound: Bound, state: Held, level: str, now: float) -> str:
    if state.since is None:
        return ""
    lasted = words.duration(now - state.since)
    if state.gap is None:
        waits = words.duration(bound.condition.for_seconds)
        return f"{level} for {lasted}, the rule waits for {waits}"
    gap, beyond = words.duration(now - state.gap), _beyond(bound)
    place = task.place[:12]
    return (
        f"task {place} was {beyond} its bound of {bound.kind.value} for {lasted}, but has had no "
        f"sample for {gap}"
    )


def _beyond(bound: Bound) -> str:
    return "below" if bound.condition.kind.below else "over"


def _level(task: Task, bound: Bound, sample: Sample | None) -> str:
    condition, kind = bound.condition, bound.kind
    value = 0.0 if sample is None else sample.value
    share = condition.threshold.value
    if condition.threshold.of is None or not bound.threshold or not share:
        used, limit = words.amount(kind, value), words.amount(kind, share)
    else:
        used = words.percent(100 * value / (bound.threshold / share))
        limit = words.percent(100 * share)
    return f"task {task.place[:12]} is at {used} of {kind.value}, bound {limit},"


def find_number(look: Look, condition: NumberBeyond) -> Found:
    """A number that cannot be read is no number: it neither begins nor ends anything at once."""
    number, now = look.usage.numbers.get(condition.name), look.now
    stale = max(LEAST_STALE, STALE_INTERVALS * condition.source.interval)
    value = None if number is None or number.age > stale else number.value
    if value is not None and not math.isfinite(value):
        value = None
    beyond = None
    if value is not None:
        beyond = value > condition.bound if condition.above else value < condition.bound
    key = f"{condition.name} {condition.above} {condition.bound:g} for {condition.for_seconds:g}|"
    state = held(key, beyond, look.past, now)
    met = state.lasted(condition.for_seconds, now)
    lasted = None if state.since is None else now - state.since
    said = words.duration(lasted or 0.0)
    side = "above" if condition.above else "below"
    bound = words.number(condition.bound)
    shown = "unknown" if value is None else words.number(value)
    level = f"{condition.name} is {shown}, {side} {bound},"
    waits = words.duration(condition.for_seconds)
    note = (
        "" if value is not None else (number.problem if number and number.problem else "no value")
    )
    return Found(
        condition,
        met=met,
        because=f"{level} for {said}" if met else "",
        lasted=lasted,
        progress=f"{level} for {said}, the rule waits for {waits}" if lasted is not None else "",
        gap=state.gap is not None,
        unknown=value is None,
        input=Input(condition.name, "", value, value is not None, note),
        entries=state.entries(key),
        recheck=state.recheck(condition.for_seconds, now),
    )
