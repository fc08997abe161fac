"""What the parts know of themselves, in the words of the exposition."""

import platform

from monitor import __version__
from monitor.agent.identity import Identity
from monitor.agent.lag import LoopLag
from monitor.cluster.mirror import Mirror
from monitor.cluster.standing import MirrorState
from monitor.control.controller import Controller
from monitor.engine.calls import BUCKETS, CallStats
from monitor.engine.liveness import Liveness
from monitor.engine.stream import EventStream
from monitor.export.facts import (
    AgentFacts,
    BuildInfo,
    CallFacts,
    CollectorFacts,
    EndFacts,
    FleetFacts,
    MirrorFacts,
    NotificationFacts,
    OperatorFacts,
    RuleConfigFacts,
    StreamFacts,
)
from monitor.model.event import Event
from monitor.model.now import Now
from monitor.notify.notifier import Notifier
from monitor.ports.actorship import Actorship
from monitor.ports.clock import Clock
from monitor.rulefile.watch import WatchedRules
from monitor.usage.sampler import Sampler
from monitor.web.door import Door


def build_info(revision: str) -> BuildInfo:
    return BuildInfo(__version__, revision, platform.python_version())


class EventLag:
    """How far behind its own time the newest event came; the clocks are the engine's and ours."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seconds: float | None = None

    def heard(self, event: Event) -> None:
        self.seconds = max(self._clock.now().wall - event.time_ns / 1e9, 0.0)


def stream_facts(stream: EventStream, lag: EventLag, *, engine_up: bool) -> StreamFacts:
    """A stream that is open to an engine that hangs brings nothing: it counts as not connected."""
    stats = stream.stats
    return StreamFacts(
        connected=stats.connected and engine_up,
        events=stats.events,
        reconnects=stats.reconnects,
        lag=lag.seconds,
        last_event_at=stats.last_event_ns / 1e9 or None,
    )


def operator_facts(controller: Controller, door: Door, now: Now) -> OperatorFacts:
    ceiling = controller.ceiling
    return OperatorFacts(
        pauses=tuple((str(pause.scope), pause.name) for pause in controller.pauses.shown(now)),
        refusals={str(reason): count for reason, count in door.refusals.items()},
        writes_per_minute=ceiling.per_minute,
        writes_counted=ceiling.used(now.mono),
        writes_waiting=ceiling.waiting,
        restarts_at_once=controller.limits.restarts.most,
        restarts_under_way=controller.limits.restarts.under_way(now.mono),
        restarts_waiting=controller.limits.restarts.waiting,
    )


def notification_facts(notifier: Notifier) -> tuple[NotificationFacts, ...]:
    return tuple(
        NotificationFacts(
            line.target.name,
            line.counts.sent,
            line.counts.failed,
            dict(line.counts.dropped),
            line.waiting,
        )
        for line in notifier.lines
    )


def call_facts(calls: CallStats) -> tuple[CallFacts, ...]:
    return tuple(
        CallFacts(
            method,
            endpoint,
            stats.requests,
            stats.seconds,
            dict(stats.failures),
            bounds=BUCKETS,
            buckets=tuple(stats.buckets),
        )
        for (method, endpoint), stats in calls.endpoints.items()
    )


def agent_facts(
    *,
    identity: Identity,
    calls: CallStats,
    liveness: Liveness,
    stream: EventStream,
    event_lag: EventLag,
    mirror: Mirror,
    sampler: Sampler,
    rules: WatchedRules,
    actorship: Actorship,
    loop_lag: LoopLag,
    operator: OperatorFacts,
    fleet: FleetFacts | None = None,
    ends: EndFacts | None = None,
    notifications: tuple[NotificationFacts, ...] = (),
) -> AgentFacts:
    """One moment of all parts; reads memory alone."""
    config = rules.status()
    return AgentFacts(
        docker_up=liveness.up,
        role=identity.role,
        acting=actorship.term() is not None,
        loop_lag=loop_lag.worst,
        loop_delays=loop_lag.delays,
        operator=operator,
        fleet=fleet,
        ends=ends,
        notifications=notifications,
        stream=stream_facts(stream, event_lag, engine_up=liveness.up),
        mirror=None
        if mirror.state is MirrorState.WORKER
        else MirrorFacts(mirror.resyncs_total, mirror.drift_total, mirror.last_sync_wall),
        rule_config=RuleConfigFacts(
            config.last_reload_successful, config.last_success_wall, config.digest
        ),
        calls=call_facts(calls),
        collectors=(
            CollectorFacts("mirror", mirror.last_list_seconds, mirror.fresh),
            CollectorFacts("usage", sampler.duration, sampler.success),
        ),
    )
