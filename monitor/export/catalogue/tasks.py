"""Tasks as a manager reports them."""

from collections.abc import Callable, Iterable

from monitor.export.family import Family, Generator, Kind, MetricType, Sample, TaskLabels
from monitor.export.rows import SlotRow, TaskRow

PRESENT = "on the acting manager while it is in touch with the Swarm"

_IDENTITY = {
    TaskLabels.TASK: ("service_name", "service_id", "task_id", "slot", "node_id"),
    TaskLabels.SLOT: ("service_name", "slot"),
}
_INFO = {
    TaskLabels.TASK: (
        "task_id",
        "service_name",
        "slot",
        "node_id",
        "node_name",
        "container_id",
        "image",
    ),
    TaskLabels.SLOT: ("service_name", "slot", "node_id", "node_name", "image"),
}


def _identity(row: TaskRow, mode: TaskLabels) -> tuple[str, ...]:
    task = row.task
    if mode is TaskLabels.SLOT:
        return (row.service_name, task.place)
    return (row.service_name, task.service_id, task.id, task.place, task.node_id)


def _info(row: TaskRow, mode: TaskLabels) -> tuple[str, ...]:
    task = row.task
    if mode is TaskLabels.SLOT:
        return (row.service_name, task.place, task.node_id, row.node_name, task.image)
    return (
        task.id,
        row.service_name,
        task.place,
        task.node_id,
        row.node_name,
        task.container_id,
        task.image,
    )


def _gauge(name: str, help_text: str, labels: tuple[str, ...]) -> Family:
    return Family(name, MetricType.GAUGE, help_text, labels, present=PRESENT)


def _generator(
    family: Family, samples: Callable[[TaskRow], Iterable[Sample]]
) -> Generator[TaskRow]:
    return Generator(family, samples)


def task_kind(mode: TaskLabels = TaskLabels.TASK) -> Kind[TaskRow]:
    """Series of one task; its newest ended predecessor in the slot is a row of its own."""
    labels = _IDENTITY[mode]
    return Kind(
        "task",
        (
            _generator(
                _gauge(
                    "swarm_task_state",
                    "The state the task is in; always 1, and only the current state is there.",
                    (*labels, "state"),
                ),
                lambda row: [((*_identity(row, mode), row.task.state.label), 1)],
            ),
            _generator(
                _gauge(
                    "swarm_task_desired_state",
                    "The state the Swarm wants the task to be in; always 1.",
                    (*labels, "state"),
                ),
                lambda row: [((*_identity(row, mode), row.task.desired_state.label), 1)],
            ),
            _generator(
                Family(
                    "swarm_task_info",
                    MetricType.INFO,
                    "Where the task runs and what; always 1.",
                    _INFO[mode],
                    present=PRESENT,
                ),
                lambda row: [(_info(row, mode), 1)],
            ),
            _generator(
                _gauge(
                    "swarm_task_state_since_timestamp_seconds",
                    "When the task entered its state, by its node's clock.",
                    labels,
                ),
                lambda row: [(_identity(row, mode), row.task.since)] if row.task.since else (),
            ),
            _generator(
                _gauge(
                    "swarm_task_created_timestamp_seconds",
                    "When the Swarm created the task.",
                    labels,
                ),
                lambda row: (
                    [(_identity(row, mode), row.task.created_at)] if row.task.created_at else ()
                ),
            ),
        ),
    )


SLOT_KIND: Kind[SlotRow] = Kind(
    "slot",
    (
        Generator(
            Family(
                "swarm_task_last_exit_code",
                MetricType.GAUGE,
                "Exit code of the newest ended task of the slot.",
                ("service_name", "slot"),
                present=f"{PRESENT}; for slots where a container ended",
            ),
            lambda row: (
                [((row.service_name, row.place), row.exit_code)]
                if row.exit_code is not None
                else ()
            ),
        ),
        Generator(
            Family(
                "swarm_task_restarts_total",
                MetricType.COUNTER,
                "New tasks that took the place of an earlier one in the slot, for whatever reason, "
                "since the agent started.",
                ("service_name", "slot"),
                present=PRESENT,
            ),
            lambda row: [((row.service_name, row.place), row.restarts)],
        ),
    ),
)
