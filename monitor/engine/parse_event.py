"""One line of `GET /events` to Event."""

import json
from typing import Any

from monitor.engine.raw import part, text, whole
from monitor.model.event import Event

# Stands for a line that could not be read: something happened, nobody knows what.
UNREADABLE = Event(type="unreadable", action="", actor_id="", time_ns=0)


def parse_event(line: bytes) -> Event:
    """`UNREADABLE` where the line is not an event."""
    try:
        raw: Any = json.loads(line)
    except (ValueError, RecursionError):
        return UNREADABLE
    if not isinstance(raw, dict):
        return UNREADABLE
    # `status` and `id` are the older spelling, gone with API 1.52.
    kind, action = text(raw, "Type"), text(raw, "Action") or text(raw, "status")
    if not kind or not action:
        return UNREADABLE
    actor = part(raw, "Actor")
    return Event(
        type=kind,
        action=action,
        actor_id=text(actor, "ID") or text(raw, "id"),
        time_ns=whole(raw, "timeNano") or whole(raw, "time") * 1_000_000_000,
        attributes={
            key: value for key, value in part(actor, "Attributes").items() if isinstance(value, str)
        },
        scope=text(raw, "scope") or "local",
    )
