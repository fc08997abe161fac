"""One agent among the others: the lease, the streams, what is kept for after a restart."""

from collections.abc import Callable, Iterable, Mapping

from monitor.export.facts import AgentFacts, FleetFacts
from monitor.export.family import Family, Generator, MetricType, Sample, Stability

_WITH_STREAMS = "where agents talk to each other"

EVENT_DELAY = Family(
    "swarm_agent_remote_event_delay_seconds",
    MetricType.HISTOGRAM,
    "Time until this agent heard from another node's that a container died, ran out of memory or "
    "changed its health, from the event's own time on.",
    ("action",),
    Stability.EXPERIMENTAL,
    "on managers, once there was such an event",
)


def _fact(  # noqa: PLR0917  # the fields of a family, in its order
    name: str,
    kind: MetricType,
    help_text: str,
    value: Callable[[FleetFacts], Iterable[Sample]],
    labels: tuple[str, ...] = (),
    present: str = "in a Swarm",
) -> Generator[AgentFacts]:
    def samples(facts: AgentFacts) -> Iterable[Sample]:
        return value(facts.fleet) if facts.fleet is not None else ()

    family = Family(name, kind, help_text, labels, Stability.EXPERIMENTAL, present)
    return Generator(family, samples)


def _one(value: float | None) -> Iterable[Sample]:
    return () if value is None else [((), value)]


def _each(values: Mapping[str, float]) -> Iterable[Sample]:
    return [((name,), value) for name, value in sorted(values.items())]


def _streamed(
    value: Callable[[FleetFacts], Iterable[Sample]],
) -> Callable[[FleetFacts], Iterable[Sample]]:
    return lambda fleet: value(fleet) if fleet.streams else ()


FLEET_GENERATORS: tuple[Generator[AgentFacts], ...] = (
    _fact(
        "swarm_agent_lease_held",
        MetricType.GAUGE,
        "Whether this agent holds the lease, so that it exports the cluster's series and may act.",
        lambda fleet: _one(int(fleet.held)),
    ),
    _fact(
        "swarm_agent_lease_term",
        MetricType.GAUGE,
        "Term of the lease that this agent holds; each change of hands begins another.",
        lambda fleet: _one(fleet.term),
        present="on the agent that holds the lease",
    ),
    _fact(
        "swarm_agent_rules_agree",
        MetricType.GAUGE,
        "Whether the managers' agents that are heard decide by the same rules and settings.",
        lambda fleet: _one(int(fleet.agree)),
    ),
    _fact(
        "swarm_agent_managers_heard",
        MetricType.GAUGE,
        "Managers' agents that are heard, this one included if it is one; 0: nothing scales.",
        _streamed(lambda fleet: _one(fleet.managers_heard)),
        present=_WITH_STREAMS,
    ),
    _fact(
        "swarm_agent_peers",
        MetricType.GAUGE,
        "Other nodes' agents as this one hears them.",
        _streamed(lambda fleet: _each(fleet.peers)),
        ("state",),
        "on managers, where agents talk to each other",
    ),
    _fact(
        "swarm_agent_nodes_unheard",
        MetricType.GAUGE,
        "Nodes that are ready and whose agent is not heard.",
        lambda fleet: _one(fleet.missing),
        present="on the acting agent, where agents talk to each other",
    ),
    _fact(
        "swarm_agent_clock_skew_seconds",
        MetricType.GAUGE,
        "How much another node's wall clock is ahead of this one's.",
        _streamed(lambda fleet: _each(fleet.skew)),
        ("node_name",),
        "on managers, where agents talk to each other",
    ),
    _fact(
        "swarm_agent_stream_reconnects_total",
        MetricType.COUNTER,
        "Times a stream from another agent was opened again.",
        _streamed(lambda fleet: _one(fleet.reconnects)),
        present=_WITH_STREAMS,
    ),
    _fact(
        "swarm_agent_stream_refused_total",
        MetricType.COUNTER,
        "Streams that were turned away, by why: no or a wrong secret, a forged frame, a version.",
        _streamed(lambda fleet: _each(fleet.refused)),
        ("reason",),
        _WITH_STREAMS,
    ),
    _fact(
        "swarm_agent_stream_dropped_total",
        MetricType.COUNTER,
        "What was given up on streams, by why: readers that were too slow, events beyond bounds.",
        _streamed(lambda fleet: _each(fleet.dropped)),
        ("reason",),
        _WITH_STREAMS,
    ),
    _fact(
        "swarm_agent_stream_frames_total",
        MetricType.COUNTER,
        "Messages on streams, by direction.",
        _streamed(lambda fleet: _each(fleet.frames)),
        ("direction",),
        _WITH_STREAMS,
    ),
    _fact(
        "swarm_agent_stream_bytes_total",
        MetricType.COUNTER,
        "Bytes of messages on streams, by direction.",
        _streamed(lambda fleet: _each(fleet.bytes)),
        ("direction",),
        _WITH_STREAMS,
    ),
    _fact(
        "swarm_agent_state_write_failures_total",
        MetricType.COUNTER,
        "Times that what must survive a restart could not be stored in the Swarm.",
        lambda fleet: _one(fleet.state_failures),
    ),
    _fact(
        "swarm_agent_journal_dropped_total",
        MetricType.COUNTER,
        "Decisions that could not be kept on disk.",
        lambda fleet: _one(fleet.journal_dropped),
        present="with --data",
    ),
)
