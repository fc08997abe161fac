"""Conditions on how tasks of the service ended.

Only what a task did itself counts: no stop of ours or of a person, no drain, no node or engine
that went away; and only what tasks of the present deploy did. An end counts once its cause is
settled, and while its node is there: a burst of ends right before a node goes is that node's
shutdown, as it turns out seconds later.
"""

from collections.abc import Sequence

from monitor.decide import words
from monitor.decide.finding import Found, Look
from monitor.model.cause import Cause
from monitor.model.condition import Exits, OomKills
from monitor.model.decision import Input
from monitor.model.evidence import Ended
from monitor.model.node import Node, NodeState

SETTLED = 10.0
"""Seconds after an end by which what tells its cause has come; see `cluster/ends.py`."""

FAILURES = frozenset(
    {
        Cause.OOM,
        Cause.EXIT_ERROR,
        Cause.UNHEALTHY,
        Cause.IMAGE_MISSING,
        Cause.COMMAND_MISSING,
        Cause.PORT_CONFLICT,
        Cause.MOUNT_MISSING,
        Cause.START_FAILED,
    }
)
"""Ends that are the task's own failure."""

OWN_EXITS = frozenset({Cause.OOM, Cause.EXIT_ERROR, Cause.EXIT_ZERO, Cause.UNHEALTHY})
"""Ends by which a container came to an exit code of its own."""


def find_ooms(look: Look, condition: OomKills) -> Found:
    ends = [end for end in look.evidence.ends if end.cause is Cause.OOM]
    return _found(look, condition, ends, "ran out of memory", "oom_kills")


def find_exits(look: Look, condition: Exits) -> Found:
    if not condition.codes:
        ends = [end for end in look.evidence.ends if end.cause in FAILURES]
        return _found(look, condition, ends, "failed", "exits")
    ends = [
        end
        for end in look.evidence.ends
        if end.cause in OWN_EXITS and end.exit_code in condition.codes
    ]
    codes = " or ".join(str(code) for code in condition.codes)
    return _found(look, condition, ends, f"exited with {codes}", "exits")


def _found(
    look: Look, condition: OomKills | Exits, ends: Sequence[Ended], what: str, name: str
) -> Found:
    now, nodes = look.now, look.case.view.nodes
    start = max(now - condition.within, look.counted_since)
    recent = [
        end
        for end in ends
        if end.at > start
        and there(nodes.get(end.node_id))
        # Tasks of the deploy before that crash while they are replaced say nothing of this one: a
        # rollback for their sake would bring back what they crash of.
        and end.template in ("", look.case.view.service.template)
    ]
    settled = [end for end in recent if end.at <= now - SETTLED]
    count = len(settled)
    within = words.duration(condition.within)
    text = f"{words.tasks(count)} {what} within {within}"
    met = count >= condition.count
    unsettled = [end.at + SETTLED - now for end in recent if end.at > now - SETTLED]
    return Found(
        condition,
        met=met,
        because=f"{text}{_newest(settled)}" if met else "",
        lasted=float(count) if count else None,
        progress=f"{text}, the rule waits for {condition.count}" if count else "",
        input=Input(name, "", float(count), True),
        recheck=min(unsettled, default=None),
    )


def there(node: Node | None) -> bool:
    """Whether the node is in touch, so that its ends are not those of a shutdown."""
    return node is None or node.state is NodeState.READY


def _newest(ends: Sequence[Ended]) -> str:
    newest = max(ends, key=lambda end: (end.at, end.task_id), default=None)
    if newest is None:
        return ""
    code = "" if newest.exit_code is None else f", code {newest.exit_code}"
    return f" (last: task {newest.place[:12]}, {newest.cause}{code})"
