"""Why a task failed: a closed set, so that no free text becomes a label."""

from enum import StrEnum

from monitor.model.task import Task, TaskState


class FailureReason(StrEnum):
    NO_SUITABLE_NODE = "no_suitable_node"
    IMAGE_PULL = "image_pull"
    NONZERO_EXIT = "nonzero_exit"
    OOM = "oom"
    UNHEALTHY = "unhealthy"
    PORT_CONFLICT = "port_conflict"
    OTHER = "other"


_UNSCHEDULED = "no suitable node"
_PORT = ("host-mode port", "port is already allocated", "address already in use")
_IMAGE = (
    "no such image",
    "pull access denied",
    "manifest unknown",
    "manifest for ",
    "error pulling image",
    "repository does not exist",
    "toomanyrequests",
    "no matching manifest",
)


def unscheduled(task: Task) -> bool:
    """Whether the scheduler said that the task fits nowhere; it stays pending then."""
    # Of a task bound to one node, as a global service's are, the Swarm only says what is in the
    # way ("host-mode port already in use on 1 node"), without the words "no suitable node".
    return task.state is TaskState.PENDING and bool(task.error)


def failed(task: Task) -> bool:
    """Whether the task ended by itself and badly; a task that was told to stop did not fail."""
    return task.state in (TaskState.FAILED, TaskState.REJECTED)


def failure_reason(task: Task, *, oom: bool) -> FailureReason:
    """The reason of a failed or unscheduled task, by the phrases of swarmkit and the Engine."""
    error = task.error.lower()
    if oom:
        return FailureReason.OOM
    if any(phrase in error for phrase in _PORT):
        return FailureReason.PORT_CONFLICT
    if unscheduled(task) or _UNSCHEDULED in error:
        return FailureReason.NO_SUITABLE_NODE
    if any(phrase in error for phrase in _IMAGE):
        return FailureReason.IMAGE_PULL
    if "unhealthy container" in error:
        return FailureReason.UNHEALTHY
    if task.exit_code or "non-zero exit" in error:
        return FailureReason.NONZERO_EXIT
    return FailureReason.OTHER
