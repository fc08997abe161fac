"""What a task uses: one reading of counters, and judged windows of readings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.model.scalar import Number


@dataclass(frozen=True, slots=True)
class Network:
    receive_bytes: int = 0
    receive_packets: int = 0
    receive_errors: int = 0
    receive_dropped: int = 0
    transmit_bytes: int = 0
    transmit_packets: int = 0
    transmit_errors: int = 0
    transmit_dropped: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a container's counters. Times in seconds, memory in bytes.

    None: this source cannot tell (a v2 cgroup without the io controller, for example).
    `working_set` is usage less inactive file pages, never below zero; `memory_limit` is None
    where there is none (the Engine reports the host's memory then). `oom_kills`: its
    processes that the kernel has killed for want of memory so far.
    """

    cpu_seconds: float
    memory_usage: int
    working_set: int
    cpu_user_seconds: float | None = None
    cpu_system_seconds: float | None = None
    cpu_periods: int | None = None
    cpu_throttled_periods: int | None = None
    cpu_throttled_seconds: float | None = None
    rss: int | None = None
    cache: int | None = None
    memory_limit: int | None = None
    memory_failures: int | None = None
    network: Network | None = None
    block_read_bytes: int | None = None
    block_write_bytes: int | None = None
    pids: int | None = None
    pids_limit: int | None = None
    oom_kills: int | None = None


class MetricKind(StrEnum):
    """What a rule's metric measures of each task: cores, bytes, bytes per second."""

    CPU = "cpu"
    MEMORY = "memory"
    NETWORK_RECEIVE = "network_receive"
    NETWORK_TRANSMIT = "network_transmit"


@dataclass(frozen=True, slots=True)
class Sample:
    """One task's usage as a rule judges it: cores, bytes, or bytes per second.

    value: mean over the metric's window.
    rising: mean over its short window for rising load; None if not judged.
    age: seconds since the newest reading behind it, by this agent's clock, less the pause that
        its source makes between two readings: 0 until the next one is due.
    span: seconds of history that `value` really covers.
    """

    value: float
    age: float
    rising: float | None = None
    span: float = 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Samples by metric name (`Metric.name`), then by task id. An absent task has no sample.

    numbers: of scalar metrics by name; an absent one was not read yet.
    """

    samples: Mapping[str, Mapping[str, Sample]] = field(default_factory=dict)
    numbers: Mapping[str, Number] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Machine:
    """How full a node is: shares in use (0.9), None where nobody can tell."""

    memory: float | None = None
    disk: float | None = None


NOT_READ = Machine()
