"""Conditions on moments: a cron expression, and the restart of another service.

A moment is dealt with once. Those before the rule's first look are none of its business, and one
that is older than its condition's `within` was missed.
"""

from monitor.decide import words
from monitor.decide.finding import Found, Look
from monitor.model.condition import Cron, Restarted
from monitor.model.decision import Input


def find_cron(look: Look, condition: Cron) -> Found:
    moments = look.evidence.moments.get(condition.key)
    wall = look.case.now.wall
    handled = dict(look.course.handled).get(condition.key)
    name = f'cron "{condition.cron}" {condition.timezone}'
    if moments is None:
        return Found(condition, unknown=True, input=Input("cron", "", None, False, "no calendar"))
    wait = None if moments.next is None else max(moments.next - wall, 0.0)
    last = moments.last
    if handled is None:
        seen = ((condition.key, wall),)
        return Found(condition, handled=seen, recheck=wait, input=Input("cron", "", 0.0, True))
    if last is None or last <= handled:
        return Found(condition, recheck=wait, input=Input("cron", "", 0.0, True))
    age = wall - last
    if age >= condition.within:
        seen = ((condition.key, last),)
        note = f"missed {words.duration(age)} ago"
        return Found(
            condition, handled=seen, recheck=wait, input=Input("cron", "", 0.0, False, note)
        )
    text = f"{name} came {words.duration(age)} ago"
    rechecks = [seconds for seconds in (wait, condition.within - age) if seconds is not None]
    return Found(
        condition,
        met=True,
        because=text,
        lasted=age,
        input=Input("cron", "", 1.0, True),
        recheck=min(rechecks),
    )


def find_restarted(look: Look, condition: Restarted) -> Found:
    at = look.evidence.restarted.get(condition.service)
    handled = dict(look.course.handled).get(condition.key)
    if handled is None:
        seen = ((condition.key, look.now),)
        return Found(condition, handled=seen, input=Input("restarted", "", 0.0, True))
    if at is None or at <= handled:
        return Found(condition, input=Input("restarted", "", 0.0, True))
    text = f"{condition.service} was restarted {words.duration(look.now - at)} ago"
    return Found(
        condition,
        met=True,
        because=text,
        lasted=look.now - at,
        input=Input("restarted", "", 1.0, True),
    )
