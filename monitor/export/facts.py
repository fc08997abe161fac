"""What the agent tells about itself at a scrape: plain values, read from its parts then."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BuildInfo:
    version: str
    revision: str
    python: str


@dataclass(frozen=True, slots=True)
class CallFacts:
    """Engine calls of one method and endpoint template (`/services/{id}`, never a real id).

    seconds: of all of them together, failed ones included. failures: by EngineError.reason.
    buckets: requests by the first of `bounds` (seconds, rising) that holds their duration; one
        more place at the end counts those above every bound.
    """

    method: str
    endpoint: str
    requests: int
    seconds: float
    failures: Mapping[str, int] = field(default_factory=dict)
    bounds: tuple[float, ...] = ()
    buckets: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CollectorFacts:
    """One part that gathers data (`mirror`, `usage`): its last run in seconds, if it worked."""

    name: str
    duration: float
    success: bool


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """The Engine's event stream; events by (type, action), reconnects by reason.

    lag: seconds from the newest event's own time to its arrival, None before the first.
    last_event_at: that event's own time in wall seconds, None before the first.
    """

    connected: bool = False
    events: Mapping[tuple[str, str], int] = field(default_factory=dict)
    reconnects: Mapping[str, int] = field(default_factory=dict)
    lag: float | None = None
    last_event_at: float | None = None


@dataclass(frozen=True, slots=True)
class MirrorFacts:
    """Re-lists and the objects they had to correct by kind; `last_sync_at` in wall seconds."""

    resyncs: int = 0
    drift: Mapping[str, int] = field(default_factory=dict)
    last_sync_at: float | None = None


@dataclass(frozen=True, slots=True)
class RuleConfigFacts:
    """The newest load of the rule files; `loaded_at` is the last good one in wall seconds."""

    successful: bool = True
    loaded_at: float | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorFacts:
    """What people set, and asked for in vain.

    pauses: (scope, name) of those in force. refusals: requests turned away, by reason.
    writes_counted: of the last minute, and under way. writes_waiting: services that wait for room
    under the ceiling. restarts_at_once: the limit of tasks; restarts_waiting: services.
    """

    pauses: tuple[tuple[str, str], ...] = ()
    refusals: Mapping[str, int] = field(default_factory=dict)
    writes_per_minute: int = 0
    writes_counted: int = 0
    writes_waiting: int = 0
    restarts_at_once: int = 0
    restarts_under_way: int = 0
    restarts_waiting: int = 0


@dataclass(frozen=True, slots=True)
class DelayFacts:
    """How long events took: their number, seconds of all together; the rest as in CallFacts."""

    count: int
    seconds: float
    bounds: tuple[float, ...] = ()
    buckets: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetFacts:
    """This agent among the others of its Swarm.

    peers: agents of other nodes by state, as a manager's agent hears them; empty on workers.
    missing: nodes that are ready and whose agent is not heard, None where that is not known.
    skew: other nodes' wall clocks less this one's in seconds, by node name.
    managers_heard: managers' agents that are connected, this one included if it is one.
    held: whether it holds the lease. term: of the lease, None where it is not held.
    agree: whether the managers' agents that are heard decide by the same rules and settings.
    refused: streams that were turned away, by why. dropped: by why. bytes, frames: by
    direction, `in` or `out`. state_failures: writes of the surviving state that failed.
    journal_dropped: entries that could not be kept on disk, None where there is no journal.
    delays: of other nodes' events, by action.
    """

    streams: bool = False
    peers: Mapping[str, int] = field(default_factory=dict)
    missing: int | None = None
    skew: Mapping[str, float] = field(default_factory=dict)
    managers_heard: int = 0
    held: bool = False
    term: int | None = None
    agree: bool = True
    reconnects: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    bytes: Mapping[str, int] = field(default_factory=dict)
    frames: Mapping[str, int] = field(default_factory=dict)
    state_failures: int = 0
    journal_dropped: int | None = None
    delays: Mapping[str, DelayFacts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndFacts:
    """What tasks of the Swarm came to. ends: by (service name, cause). recoveries: by service."""

    ends: Mapping[tuple[str, str], int] = field(default_factory=dict)
    recoveries: Mapping[str, DelayFacts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotificationFacts:
    """What became of the messages to one target. failed: tries. dropped: messages, by why."""

    target: str
    sent: int = 0
    failed: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFacts:
    """`role` is manager, worker or none; `acting` whether this agent may write to the Swarm.

    mirror: None where there is no mirror (workers). ends: None where it does not act.
    loop_lag: seconds the event loop was late, at worst, lately. loop_delays: since the start.
    """

    docker_up: bool
    role: str
    acting: bool
    loop_lag: float = 0.0
    loop_delays: DelayFacts | None = None
    stream: StreamFacts = StreamFacts()
    mirror: MirrorFacts | None = None
    rule_config: RuleConfigFacts | None = None
    calls: tuple[CallFacts, ...] = ()
    collectors: tuple[CollectorFacts, ...] = ()
    operator: OperatorFacts | None = None
    fleet: FleetFacts | None = None
    ends: EndFacts | None = None
    notifications: tuple[NotificationFacts, ...] = ()
