"""A past that nobody knows any more, taken for the worst."""

from dataclasses import replace

from monitor.decide.course import MAX_RESTARTS
from monitor.model.history import History, ScaleEvent
from monitor.model.rule import AnyRule, NodeRule, ScaleRule


def as_if_just_done(history: History, rule: AnyRule | NodeRule, now: float) -> History:
    """With every cooldown begun and every budget spent at `now`, in monotonic seconds.

    A change by nothing begins cooldowns and counts neither for rates nor for changes of
    direction.
    """
    if isinstance(rule, ScaleRule):
        return replace(history, events=(*history.events, ScaleEvent(now, 0)))
    spent = (now,) * min(max(rule.budget.count, 1), MAX_RESTARTS)
    return replace(history, restarts=(*history.restarts, *spent)[-MAX_RESTARTS:])
