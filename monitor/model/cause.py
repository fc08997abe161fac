"""Why a task ended: a closed set, and one task with its end."""

from dataclasses import dataclass
from enum import StrEnum

from monitor.model.task import TaskState


class Cause(StrEnum):
    OOM = "oom"
    EXIT_ZERO = "exit_zero"
    EXIT_ERROR = "exit_error"
    KILLED_BY_HAND = "killed_by_hand"
    REMOVED_BY_HAND = "removed_by_hand"
    UNHEALTHY = "unhealthy"
    IMAGE_MISSING = "image_missing"
    COMMAND_MISSING = "command_missing"
    PORT_CONFLICT = "port_conflict"
    MOUNT_MISSING = "mount_missing"
    START_FAILED = "start_failed"
    SCALED_DOWN = "scaled_down"
    UPDATE = "update"
    ROLLBACK = "rollback"
    RESTART_RULE = "restart_rule"
    DRAIN = "drain"
    NODE_DOWN = "node_down"
    ENGINE_STOPPED = "engine_stopped"
    NO_SUITABLE_NODE = "no_suitable_node"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """evidence: one sentence without a full stop."""

    cause: Cause
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnd:
    """A task as `ps` shows it; cause None: it has not ended and nothing keeps it waiting.

    slot: None for a global service. node_name: its id where no name is known, "" before it was
    assigned. since: wall seconds; of its end, else of its present state. exit_code: None where
    its container never ended, or nobody told. uptime: seconds from its container's start to the
    end, None where either is not known. A task that the Swarm dropped while it was being stopped
    has state REMOVE. container_id: "" where it never had a container. template: as `Task.template`.
    """

    task_id: str
    service_id: str
    service_name: str
    slot: int | None
    node_id: str
    node_name: str
    image: str
    state: TaskState
    desired_state: TaskState
    since: float
    exit_code: int | None = None
    cause: Cause | None = None
    evidence: str = ""
    uptime: float | None = None
    container_id: str = ""
    template: str = ""
