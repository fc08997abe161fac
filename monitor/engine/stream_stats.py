"""What the event stream did, as numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.model.event import Event

_TYPES = frozenset(
    {"container", "service", "node", "config", "network", "volume", "image", "daemon"}
)
_ACTIONS = frozenset(
    {
        "create",
        "start",
        "restart",
        "pause",
        "unpause",
        "update",
        "rename",
        "oom",
        "health_status",
        "kill",
        "stop",
        "die",
        "destroy",
        "remove",
        "exec_create",
        "exec_start",
        "exec_die",
        "connect",
        "disconnect",
    }
)
OTHER = "other"


def counted_as(event: Event) -> tuple[str, str]:
    """Type and action from closed sets, safe as metric labels.

    `health_status: healthy` is `health_status`, `exec_start: /bin/check` is `exec_start`.
    """
    action = event.action.partition(":")[0].strip()
    return (
        event.type if event.type in _TYPES else OTHER,
        action if action in _ACTIONS else OTHER,
    )


@dataclass(frozen=True, slots=True)
class StreamStats:
    """One moment of an event stream.

    connected_since: monotonic seconds, None while not connected.
    events: new events by (type, action). duplicates: events dropped because seen before.
    reconnects: lost connections and failed attempts by reason, `asked` for `reconnect()`.
    last_event_ns: the newest `time_ns`, 0 before the first; by the engine's clock.
    resyncs: how often a re-list was asked for. unreadable: lines that were no events.
    """

    connected: bool = False
    connected_since: float | None = None
    events: Mapping[tuple[str, str], int] = field(default_factory=dict)
    duplicates: int = 0
    reconnects: Mapping[str, int] = field(default_factory=dict)
    last_event_ns: int = 0
    resyncs: int = 0
    unreadable: int = 0
