"""What the streams counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.fleet.ends import AUTH_FAILURES, End, StreamEnded


@dataclass(frozen=True, slots=True)
class FleetStats:
    """Counts since the start, but for `connections`, the authenticated ones of now.

    connected: connections that were ever authenticated. reconnects: those after the first to
    the same node, as the connecting side counts them. frames and bytes: with handshakes and MACs,
    without WebSocket headers. auth_failures: by kind, each kind present. dropped_slow: connections
    closed because the other side did not read. events_dropped: events too large to send.
    tasks_dropped: readings left out of reports, beyond 5,000 or no sound numbers. unknown:
    messages of types this release does not know. malformed: authentic messages that make no
    sense. commands: carried out; refused_commands: not, also those that came a second time and
    were only answered again.
    """

    connections: int = 0
    connected: int = 0
    reconnects: int = 0
    frames_in: int = 0
    frames_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    auth_failures: Mapping[str, int] = field(default_factory=dict)
    dropped_slow: int = 0
    events_dropped: int = 0
    tasks_dropped: int = 0
    unknown: int = 0
    malformed: int = 0
    commands: int = 0
    refused_commands: int = 0


class Counters:
    """The same while it is counted. One side of the streams, server or peers, has one."""

    __slots__ = (
        "auth_failures",
        *(name for name in FleetStats.__slots__ if name != "auth_failures"),
    )

    def __init__(self) -> None:
        self.connections = self.connected = self.reconnects = 0
        self.frames_in = self.frames_out = self.bytes_in = self.bytes_out = 0
        self.auth_failures = {kind.value: 0 for kind in AUTH_FAILURES}
        self.dropped_slow = self.events_dropped = self.tasks_dropped = 0
        self.unknown = self.malformed = 0
        self.commands = self.refused_commands = 0

    def received(self, frame: bytes) -> None:
        self.frames_in += 1
        self.bytes_in += len(frame)

    def sent(self, frame: bytes) -> None:
        self.frames_out += 1
        self.bytes_out += len(frame)

    def ended(self, end: StreamEnded) -> None:
        if end.kind.value in self.auth_failures:
            self.auth_failures[end.kind.value] += 1
        elif end.kind is End.SLOW:
            self.dropped_slow += 1

    def snapshot(self) -> FleetStats:
        values = {name: getattr(self, name) for name in FleetStats.__slots__}
        return FleetStats(**{**values, "auth_failures": dict(self.auth_failures)})
