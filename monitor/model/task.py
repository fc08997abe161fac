"""A task: one slot's attempt at running a service."""

from dataclasses import dataclass
from enum import IntEnum
from sys import intern


class TaskState(IntEnum):
    """Task states in swarmkit's order; a task only ever moves to a higher one.

    `value` is the order alone; `label` is the Engine API's spelling.
    """

    NEW = 0
    PENDING = 64
    ASSIGNED = 192
    ACCEPTED = 256
    PREPARING = 320
    READY = 384
    STARTING = 448
    RUNNING = 512
    COMPLETE = 576
    SHUTDOWN = 640
    FAILED = 704
    REJECTED = 768
    REMOVE = 800
    ORPHANED = 832

    @property
    def label(self) -> str:
        return self.name.lower()

    @property
    def ended(self) -> bool:
        return self > _RUNNING


# Members of an enumeration are slow to get at, and these are asked for all the time.
_RUNNING, _COMPLETE = TaskState.RUNNING, TaskState.COMPLETE

TASK_STATES: dict[str, TaskState] = {state.label: state for state in TaskState}


@dataclass(frozen=True, slots=True)
class Task:
    """`slot` is None for tasks of global services; `node_id` is "" until assigned.

    `since` and `created_at` are wall seconds; `since` is when `state` was entered as the node
    saw it. `template` is the fingerprint of the task's spec, comparable with
    `Service.template`. `exit_code` is None where the container never ended.
    `addresses` are those it has in networks, as (network name, address) in the API's order.
    `job_iteration` is which run of a job it belongs to, None for tasks of other services.
    """

    id: str
    service_id: str
    slot: int | None
    node_id: str
    state: TaskState
    desired_state: TaskState
    since: float
    created_at: float
    version: int = 0
    container_id: str = ""
    exit_code: int | None = None
    image: str = ""
    message: str = ""
    error: str = ""
    template: str = ""
    cpu_reservation: float = 0.0
    memory_reservation: int = 0
    job_iteration: int | None = None
    addresses: tuple[tuple[str, str], ...] = ()

    @property
    def live(self) -> bool:
        """Wanted by the Swarm and not ended: it runs or is on its way to.

        A job's tasks are wanted complete, all others running.
        """
        return self.desired_state <= _COMPLETE and self.state <= _RUNNING

    @property
    def place(self) -> str:
        """What a replacement inherits: the slot, or the node for a global service."""
        return intern(str(self.slot)) if self.slot is not None else self.node_id
