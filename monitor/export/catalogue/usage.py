"""What the tasks on this node use, from its own readings."""

from collections.abc import Callable, Iterable

from monitor.export.family import Family, Generator, Kind, MetricType, Sample, TaskLabels
from monitor.export.rows import TaskUsageRow
from monitor.model.container import Health
from monitor.model.usage import Network, Reading

PRESENT = "on every agent, for running tasks of its node with a current sample"

_LABELS = {
    TaskLabels.TASK: ("service_name", "task_id", "node_name"),
    TaskLabels.SLOT: ("service_name", "slot", "node_name"),
}
_Value = Callable[[Reading], float | None]

# Name after `swarm_task_`, help, value; names that end in _total are counters.
_READINGS: tuple[tuple[str, str, _Value], ...] = (
    ("cpu_usage_seconds_total", "CPU time used, in seconds.", lambda r: r.cpu_seconds),
    ("cpu_user_seconds_total", "CPU time used in user mode.", lambda r: r.cpu_user_seconds),
    ("cpu_system_seconds_total", "CPU time used in the kernel.", lambda r: r.cpu_system_seconds),
    (
        "cpu_throttled_seconds_total",
        "Time the task was held back by its CPU limit.",
        lambda r: r.cpu_throttled_seconds,
    ),
    ("cpu_periods_total", "Periods of the CPU limit that passed.", lambda r: r.cpu_periods),
    (
        "cpu_throttled_periods_total",
        "Periods in which the task was held back by its CPU limit.",
        lambda r: r.cpu_throttled_periods,
    ),
    ("memory_usage_bytes", "Memory charged to the task, file cache too.", lambda r: r.memory_usage),
    (
        "memory_working_set_bytes",
        "Memory in use less inactive file cache: what rules judge.",
        lambda r: r.working_set,
    ),
    ("memory_rss_bytes", "Anonymous memory.", lambda r: r.rss),
    ("memory_cache_bytes", "File cache charged to the task.", lambda r: r.cache),
    ("memory_limit_bytes", "Memory limit in force.", lambda r: r.memory_limit),
    ("memory_failures_total", "Times the memory limit was hit.", lambda r: r.memory_failures),
    ("block_read_bytes_total", "Bytes read from block devices.", lambda r: r.block_read_bytes),
    ("block_write_bytes_total", "Bytes written to block devices.", lambda r: r.block_write_bytes),
    ("pids", "Processes and threads.", lambda r: r.pids),
    ("pids_limit", "Processes and threads allowed.", lambda r: r.pids_limit),
)

_NETWORK: tuple[tuple[str, Callable[[Network], int]], ...] = (
    ("receive_bytes", lambda n: n.receive_bytes),
    ("receive_packets", lambda n: n.receive_packets),
    ("receive_errors", lambda n: n.receive_errors),
    ("receive_dropped", lambda n: n.receive_dropped),
    ("transmit_bytes", lambda n: n.transmit_bytes),
    ("transmit_packets", lambda n: n.transmit_packets),
    ("transmit_errors", lambda n: n.transmit_errors),
    ("transmit_dropped", lambda n: n.transmit_dropped),
)


def _identity(row: TaskUsageRow, mode: TaskLabels) -> tuple[str, ...]:
    which = row.slot if mode is TaskLabels.SLOT else row.task_id
    return (row.service_name, which, row.node_name)


def _network_value(value: Callable[[Network], int]) -> _Value:
    return lambda reading: value(reading.network) if reading.network is not None else None


def _reading(name: str, help_text: str, value: _Value, mode: TaskLabels) -> Generator[TaskUsageRow]:
    kind = MetricType.COUNTER if name.endswith("_total") else MetricType.GAUGE
    family = Family(
        f"swarm_task_{name}",
        kind,
        help_text,
        _LABELS[mode],
        present=f"{PRESENT}, where its source can tell",
    )

    def samples(row: TaskUsageRow) -> Iterable[Sample]:
        number = value(row.reading) if row.reading is not None else None
        return [(_identity(row, mode), number)] if number is not None else ()

    return Generator(family, samples)


def _others(mode: TaskLabels) -> tuple[Generator[TaskUsageRow], ...]:
    labels = _LABELS[mode]

    def family(name: str, kind: MetricType, help_text: str, *more: str) -> Family:
        return Family(name, kind, help_text, (*labels, *more), present=PRESENT)

    return (
        Generator(
            family(
                "swarm_task_oom_events_total",
                MetricType.COUNTER,
                "Out-of-memory events of the task's container that this agent saw.",
            ),
            lambda row: [(_identity(row, mode), row.oom_events)],
        ),
        Generator(
            family(
                "swarm_task_start_timestamp_seconds",
                MetricType.GAUGE,
                "When the task's container started.",
            ),
            lambda row: [(_identity(row, mode), row.started_at)] if row.started_at else (),
        ),
        Generator(
            family(
                "swarm_task_health_state",
                MetricType.GAUGE,
                "What the task's health check says: 1 for the current state, `none` without one.",
                "state",
            ),
            lambda row: [
                ((*_identity(row, mode), state.value), int(state is row.health)) for state in Health
            ],
        ),
        Generator(
            family(
                "swarm_task_last_sample_timestamp_seconds",
                MetricType.GAUGE,
                "When the newest sample was taken.",
            ),
            lambda row: (
                [(_identity(row, mode), row.sampled_at.wall)] if row.sampled_at is not None else ()
            ),
        ),
    )


def usage_kind(mode: TaskLabels = TaskLabels.TASK) -> Kind[TaskUsageRow]:
    readings = [_reading(name, text, value, mode) for name, text, value in _READINGS]
    network = [
        _reading(
            f"network_{name}_total",
            f"{'Received' if name.startswith('receive') else 'Sent'} {name.partition('_')[2]}, "
            "summed over the task's interfaces.",
            _network_value(value),
            mode,
        )
        for name, value in _NETWORK
    ]
    return Kind("usage", (*readings, *network, *_others(mode)))
