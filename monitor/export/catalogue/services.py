"""Services as a manager reports them."""

from collections.abc import Callable, Iterable, Sequence

from monitor.export.catalogue.tasks import PRESENT
from monitor.export.failure import FailureReason
from monitor.export.family import Family, Generator, Kind, MetricType, Sample, Stability
from monitor.export.labels import allowed_labels
from monitor.export.rows import ServiceRow
from monitor.model.service import UpdateState
from monitor.model.task import TaskState

_Rows = Callable[[ServiceRow], Iterable[Sample]]
_NAME = ("service_name",)


def _generator(
    name: str,
    help_text: str,
    labels: tuple[str, ...],
    samples: _Rows,
    *,
    when: str = "",
    type_: MetricType = MetricType.GAUGE,
) -> Generator[ServiceRow]:
    present = f"{PRESENT}; {when}" if when else PRESENT
    return Generator(Family(name, type_, help_text, labels, present=present), samples)


def _optional(
    name: str, help_text: str, value: Callable[[ServiceRow], float | None], when: str = "where set"
) -> Generator[ServiceRow]:
    """A gauge by service that is left out where there is nothing to tell."""

    def samples(row: ServiceRow) -> Iterable[Sample]:
        number = value(row)
        return [((row.service.name,), number)] if number is not None else ()

    return _generator(name, help_text, _NAME, samples, when=when)


def _info(row: ServiceRow) -> Iterable[Sample]:
    service = row.service
    image, _, digest = service.image.partition("@")
    return [((service.id, service.name, service.stack, service.mode, image, digest), 1)]


def _states(row: ServiceRow) -> Iterable[Sample]:
    return [
        ((row.service.name, state.label), row.states.get(state.label, 0)) for state in TaskState
    ]


def _update_states(row: ServiceRow) -> Iterable[Sample]:
    current = row.service.update_state or "none"
    states = ("none", *(state.value for state in UpdateState))
    return [((row.service.name, state), int(state == current)) for state in states]


def _ports(row: ServiceRow) -> Iterable[Sample]:
    name = row.service.name
    return [
        ((name, port.protocol, str(port.published), str(port.target), port.publish_mode), 1)
        for port in dict.fromkeys(row.service.ports)
    ]


def _failures(row: ServiceRow) -> Iterable[Sample]:
    return [
        ((row.service.name, reason.value), row.failures.get(reason, 0)) for reason in FailureReason
    ]


_NUMBERS: tuple[Generator[ServiceRow], ...] = (
    _generator(
        "swarm_service_info",
        "What the service runs and how; always 1.",
        ("service_id", "service_name", "stack", "mode", "image", "image_digest"),
        _info,
        type_=MetricType.INFO,
    ),
    _generator(
        "swarm_service_replicas_desired",
        "Tasks the service should have running.",
        ("service_name", "service_id"),
        lambda row: [((row.service.name, row.service.id), row.desired)],
    ),
    _generator(
        "swarm_service_replicas_running",
        "Tasks that run, are wanted to, and are on a node that is not down.",
        ("service_name", "service_id"),
        lambda row: [((row.service.name, row.service.id), row.running)],
    ),
    _generator(
        "swarm_service_tasks",
        "Tasks of the service by state, ended ones that the Swarm still keeps included.",
        ("service_name", "state"),
        _states,
    ),
    _optional(
        "swarm_service_tasks_completed",
        "Tasks of a job that completed in its current iteration.",
        lambda row: row.completed if row.service.mode.is_job else None,
        "for jobs",
    ),
    _generator(
        "swarm_service_update_state",
        "State of the service's last update: 1 for the current one, `none` if there was none.",
        ("service_name", "state"),
        _update_states,
    ),
    _generator(
        "swarm_task_failures_total",
        "Tasks that failed, were rejected or fitted no node since the agent started, by reason.",
        ("service_name", "reason"),
        _failures,
        type_=MetricType.COUNTER,
    ),
)

_TIMES: tuple[Generator[ServiceRow], ...] = (
    _optional(
        "swarm_service_update_started_timestamp_seconds",
        "When the last update started.",
        lambda row: row.service.update_started_at,
        "once updated",
    ),
    _optional(
        "swarm_service_update_completed_timestamp_seconds",
        "When the last update completed.",
        lambda row: row.service.update_completed_at,
        "once an update completed",
    ),
    _optional(
        "swarm_service_created_timestamp_seconds",
        "When the service was created.",
        lambda row: row.service.created_at or None,
        "where known",
    ),
    _optional(
        "swarm_service_updated_timestamp_seconds",
        "When the service was last changed.",
        lambda row: row.service.updated_at or None,
        "where known",
    ),
    _optional(
        "swarm_service_version",
        "The service's version index; every change raises it.",
        lambda row: row.service.version,
        "",
    ),
)

_SETTINGS: tuple[Generator[ServiceRow], ...] = (
    _optional(
        "swarm_service_replicas_max_per_node",
        "Tasks the service may have on one node.",
        lambda row: row.service.max_replicas_per_node or None,
    ),
    _optional(
        "swarm_service_limit_cpu_cores",
        "CPU limit of each task in cores.",
        lambda row: row.service.cpu_limit,
    ),
    _optional(
        "swarm_service_limit_memory_bytes",
        "Memory limit of each task in bytes.",
        lambda row: row.service.memory_limit,
    ),
    _optional(
        "swarm_service_reservation_cpu_cores",
        "CPU reserved for each task in cores.",
        lambda row: row.service.cpu_reservation,
    ),
    _optional(
        "swarm_service_reservation_memory_bytes",
        "Memory reserved for each task in bytes.",
        lambda row: row.service.memory_reservation,
    ),
    _generator(
        "swarm_service_published_port_info",
        "A published port of the service; always 1.",
        ("service_name", "protocol", "published_port", "target_port", "publish_mode"),
        _ports,
        when="for published ports",
        type_=MetricType.INFO,
    ),
    _optional(
        "swarm_service_job_iteration",
        "How often the job was started again.",
        lambda row: row.service.job_iteration,
        "for jobs",
    ),
    _optional(
        "swarm_service_job_last_execution_timestamp_seconds",
        "When the job was last started.",
        lambda row: row.service.job_last_execution,
        "for jobs",
    ),
)


def service_kind(allowed: Sequence[str] = ()) -> Kind[ServiceRow]:
    """allowed: keys or globs of service labels that are exported."""
    labels: Generator[ServiceRow] = Generator(
        Family(
            "swarm_service_labels",
            MetricType.GAUGE,
            "Labels of the service that the agent's settings allow; always 1.",
            _NAME,
            Stability.EXPERIMENTAL,
            present=f"{PRESENT}; for services with an allowed label",
            open_labels=True,
        ),
        lambda row: [((row.service.name,), 1)],
        lambda row: allowed_labels(row.service.labels, allowed),
    )
    return Kind("service", (*_NUMBERS, *_TIMES, *_SETTINGS, labels))
