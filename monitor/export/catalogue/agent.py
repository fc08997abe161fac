"""The agent itself: families of its registry, and the samples of what is read at a scrape."""

import hashlib
from collections.abc import Callable, Iterable, Mapping

from monitor.export.catalogue.ends import END_GENERATORS, RECOVERY_SECONDS
from monitor.export.catalogue.fleet import EVENT_DELAY, FLEET_GENERATORS
from monitor.export.catalogue.notifications import NOTIFICATION_GENERATORS
from monitor.export.catalogue.operator import OPERATOR_GENERATORS
from monitor.export.facts import AgentFacts, MirrorFacts, RuleConfigFacts
from monitor.export.family import Family, Generator, MetricType, Sample, Stability

ROLES = ("manager", "worker", "none")
_CALL = ("method", "endpoint")
_MAX_EVENT_SERIES = 200

BUILD = Family(
    "swarm_agent_build_info",
    MetricType.INFO,
    "Version of the agent and of its Python; always 1.",
    ("version", "revision", "python"),
)
UP = Family("swarm_agent_up", MetricType.GAUGE, "The agent runs; always 1.")
SERIES = Family(
    "swarm_agent_series",
    MetricType.GAUGE,
    "Series of tasks, services, nodes and rules in this scrape.",
)
RENDER_SECONDS = Family(
    "swarm_agent_scrape_render_seconds",
    MetricType.GAUGE,
    "Time it took to render the scrape before this one.",
)
LOOP_DELAY = Family(
    "swarm_agent_event_loop_delay_seconds",
    MetricType.HISTOGRAM,
    "How late the agent's event loop ran what was due, looked at ten times a second.",
    stability=Stability.EXPERIMENTAL,
)
REQUEST_SECONDS = Family(
    "swarm_agent_docker_request_duration_seconds",
    MetricType.HISTOGRAM,
    "Time taken by requests to the Engine, failed ones included.",
    _CALL,
    present="once a request was made",
)


def _gauge(
    name: str,
    help_text: str,
    samples: Callable[[AgentFacts], Iterable[Sample]],
    labels: tuple[str, ...] = (),
    present: str = "always",
) -> Generator[AgentFacts]:
    return Generator(Family(name, MetricType.GAUGE, help_text, labels, present=present), samples)


def _counter(
    name: str,
    help_text: str,
    samples: Callable[[AgentFacts], Iterable[Sample]],
    labels: tuple[str, ...] = (),
    present: str = "always",
) -> Generator[AgentFacts]:
    return Generator(Family(name, MetricType.COUNTER, help_text, labels, present=present), samples)


def _single(value: float | None) -> Iterable[Sample]:
    return [((), value)] if value is not None else ()


def _by_one(counts: Mapping[str, int]) -> Iterable[Sample]:
    return [((name,), count) for name, count in sorted(counts.items())]


def _mirror(
    value: Callable[[MirrorFacts], Iterable[Sample]],
) -> Callable[[AgentFacts], Iterable[Sample]]:
    return lambda facts: value(facts.mirror) if facts.mirror is not None else ()


def _config(
    value: Callable[[RuleConfigFacts], float | None],
) -> Callable[[AgentFacts], Iterable[Sample]]:
    return lambda facts: _single(value(facts.rule_config)) if facts.rule_config is not None else ()


def config_number(digest: str) -> int:
    """A number that is equal where the digest is: 48 bits, so that a float holds it exactly."""
    return int.from_bytes(hashlib.sha256(digest.encode()).digest()[:6], "big")


def _events(facts: AgentFacts) -> Iterable[Sample]:
    """By type and action; what follows a colon (a health state, a command) is cut off.

    The Engine's actions are few, but nothing promises it: beyond a bound they become `other`.
    """
    counts: dict[tuple[str, ...], int] = {}
    for (kind, action), count in sorted(facts.stream.events.items()):
        labels = (kind, action.partition(":")[0])
        if labels not in counts and len(counts) >= _MAX_EVENT_SERIES:
            labels = ("other", "other")
        counts[labels] = counts.get(labels, 0) + count
    return list(counts.items())


def _failures(facts: AgentFacts) -> Iterable[Sample]:
    return [
        ((call.method, call.endpoint, reason), count)
        for call in facts.calls
        for reason, count in sorted(call.failures.items())
    ]


_ENGINE: tuple[Generator[AgentFacts], ...] = (
    _gauge(
        "swarm_docker_up",
        "Whether the node's Engine answers.",
        lambda facts: _single(int(facts.docker_up)),
    ),
    _gauge(
        "swarm_agent_role",
        "Role of this node in the Swarm: 1 for the current one, `none` outside of a Swarm.",
        lambda facts: [((role,), int(role == facts.role)) for role in ROLES],
        ("role",),
    ),
    _gauge(
        "swarm_agent_leader",
        "Whether this agent is the one that acts.",
        lambda facts: _single(int(facts.acting)),
    ),
    _gauge(
        "swarm_agent_collector_duration_seconds",
        "Time the collector's last run took.",
        lambda facts: [((run.name,), run.duration) for run in facts.collectors],
        ("collector",),
        "once the collector ran",
    ),
    _gauge(
        "swarm_agent_collector_success",
        "Whether the collector's last run worked.",
        lambda facts: [((run.name,), int(run.success)) for run in facts.collectors],
        ("collector",),
        "once the collector ran",
    ),
    _counter(
        "swarm_agent_docker_requests_total",
        "Requests to the Engine.",
        lambda facts: [((call.method, call.endpoint), call.requests) for call in facts.calls],
        _CALL,
        "once a request was made",
    ),
    _counter(
        "swarm_agent_docker_request_failures_total",
        "Requests to the Engine that did not do what was asked, by reason.",
        _failures,
        (*_CALL, "reason"),
        "once a request failed",
    ),
)

_STREAM: tuple[Generator[AgentFacts], ...] = (
    _counter(
        "swarm_agent_events_total",
        "Events received from the Engine.",
        _events,
        ("type", "action"),
        "once an event came",
    ),
    _counter(
        "swarm_agent_event_stream_reconnects_total",
        "Times the event stream was opened again, by why it ended.",
        lambda facts: _by_one(facts.stream.reconnects),
        ("reason",),
        "once reconnected",
    ),
    _gauge(
        "swarm_agent_event_stream_connected",
        "Whether the event stream is open and the Engine answers.",
        lambda facts: _single(int(facts.stream.connected)),
    ),
    _gauge(
        "swarm_agent_event_lag_seconds",
        "Time from the newest event to its arrival here.",
        lambda facts: _single(facts.stream.lag),
        present="once an event came",
    ),
    _gauge(
        "swarm_agent_last_event_timestamp_seconds",
        "When the newest event happened, by the Engine's clock.",
        lambda facts: _single(facts.stream.last_event_at),
        present="once an event came",
    ),
    _counter(
        "swarm_agent_resync_total",
        "Times everything was listed anew.",
        _mirror(lambda mirror: _single(mirror.resyncs)),
        present="on managers",
    ),
    _counter(
        "swarm_agent_resync_drift_objects_total",
        "Objects that a re-list had to correct because no event had told.",
        _mirror(lambda mirror: _by_one(mirror.drift)),
        ("kind",),
        "on managers, once corrected",
    ),
    _gauge(
        "swarm_agent_last_sync_timestamp_seconds",
        "When everything was last listed.",
        _mirror(lambda mirror: _single(mirror.last_sync_at)),
        present="on managers, once listed",
    ),
)

_OWN: tuple[Generator[AgentFacts], ...] = (
    _gauge(
        "swarm_agent_event_loop_lag_seconds",
        "How late the agent's event loop last was.",
        lambda facts: _single(facts.loop_lag),
    ),
    _gauge(
        "swarm_rule_config_last_reload_successful",
        "Whether the rule files as they are now could be loaded.",
        _config(lambda config: int(config.successful)),
        present="where rules are given",
    ),
    _gauge(
        "swarm_rule_config_last_reload_success_timestamp_seconds",
        "When rule files were last loaded without errors.",
        _config(lambda config: config.loaded_at),
        present="where rules are given, once loaded",
    ),
    _gauge(
        "swarm_rule_config_hash",
        "A number that is equal on agents with equal rules.",
        _config(lambda config: config_number(config.digest)),
        present="where rules are given",
    ),
)

FACT_GENERATORS: tuple[Generator[AgentFacts], ...] = (
    *_ENGINE,
    *_STREAM,
    *_OWN,
    *OPERATOR_GENERATORS,
    *FLEET_GENERATORS,
    *END_GENERATORS,
    *NOTIFICATION_GENERATORS,
)

DROPPED = Family(
    "swarm_agent_series_dropped_total",
    MetricType.COUNTER,
    "Series left out because there are too many, by reason.",
    ("reason",),
)

AGENT_FAMILIES: tuple[Family, ...] = (
    BUILD,
    UP,
    *(generator.family for generator in FACT_GENERATORS),
    LOOP_DELAY,
    REQUEST_SECONDS,
    EVENT_DELAY,
    RECOVERY_SECONDS,
    SERIES,
    RENDER_SECONDS,
    DROPPED,
)

FOREIGN_FAMILIES: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("process_virtual_memory_bytes", "gauge", (), "Virtual memory size in bytes."),
    ("process_resident_memory_bytes", "gauge", (), "Resident memory size in bytes."),
    ("process_start_time_seconds", "gauge", (), "When the process started."),
    ("process_cpu_seconds_total", "counter", (), "CPU time of the process."),
    ("process_open_fds", "gauge", (), "Open file descriptors."),
    ("process_max_fds", "gauge", (), "File descriptors allowed."),
    (
        "python_info",
        "gauge",
        ("implementation", "major", "minor", "patchlevel", "version"),
        "The Python that runs the agent.",
    ),
    ("python_gc_objects_collected_total", "counter", ("generation",), "Objects collected."),
    ("python_gc_objects_uncollectable_total", "counter", ("generation",), "Objects stuck."),
    ("python_gc_collections_total", "counter", ("generation",), "Garbage collections."),
)
"""(name, type, labels, meaning) of what prometheus_client adds on Linux and CPython."""
