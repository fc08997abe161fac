"""Messages as the receivers read them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from monitor.notify.message import Kind, Message

MOST_TEXT = 2000
"""Characters of a sentence that are sent."""

SHOWN_FOR = 300.0
"""Seconds for which Alertmanager shows what has no duration."""

HELD_FOR = 3600.0
"""Seconds after which Alertmanager takes for over what nobody says again."""

Form = Callable[[Message], Any]

_ICONS = {
    Kind.ACTION: ":arrows_counterclockwise:",
    Kind.FAILURE: ":warning:",
    Kind.PROBLEM: ":rotating_light:",
    Kind.NOTICE: ":information_source:",
}


def webhook(message: Message) -> Mapping[str, Any]:
    """Every field by its name; times as RFC 3339 in UTC."""
    return {
        "version": 1,
        "kind": str(message.kind),
        "status": _status(message),
        "severity": message.severity,
        "text": _text(message),
        "key": message.key,
        "since": rfc3339(message.since),
        "ended": None if message.ended is None else rfc3339(message.ended),
        "rule": message.rule,
        "service_name": message.service_name,
        "node_name": message.node_name,
        "action": message.action,
        "reason": message.reason,
        "outcome": message.outcome,
        "node": message.node,
        "dropped": message.dropped,
    }


def slack(message: Message) -> Mapping[str, Any]:
    """`text` alone, which Slack's incoming webhooks, Mattermost's, Rocket.Chat's and Discord's
    (its address ending in /slack) understand. `&`, `<` and `>` would mean links and people there.
    """
    over = message.lasting and message.ended is not None
    icon = ":white_check_mark:" if over else _ICONS[message.kind]
    said = f"over: {_text(message)}" if over else _text(message)
    for plain, spelled in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        said = said.replace(plain, spelled)
    missed = f" ({message.dropped} messages before this one were lost)" if message.dropped else ""
    return {"text": f"{icon} {said}{missed}"}


def alertmanager(message: Message) -> list[Mapping[str, Any]]:
    """One alert of its API v2. The labels say which alert it is, so they hold nothing that changes
    while it lasts."""
    ends = message.ended
    if not message.lasting:
        ends = message.since + SHOWN_FOR
    elif ends is None:
        ends = message.since + HELD_FOR
    labels = {
        "alertname": f"SwarmMonitor{message.kind.value.title()}",
        "severity": message.severity,
        "rule": message.rule,
        "service_name": message.service_name,
        "node_name": message.node_name,
        "action": message.action,
        "reason": message.reason,
        "outcome": message.outcome,
    }
    return [
        {
            "labels": {name: value for name, value in labels.items() if value},
            "annotations": {"summary": _text(message), "node": message.node},
            "startsAt": rfc3339(message.since),
            "endsAt": rfc3339(ends),
        }
    ]


def rfc3339(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")


def _status(message: Message) -> str:
    if not message.lasting:
        return "event"
    return "firing" if message.ended is None else "resolved"


def _text(message: Message) -> str:
    text = message.text
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"
