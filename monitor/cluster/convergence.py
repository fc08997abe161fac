"""Whether a service is on its way somewhere, of which no event will tell."""

from monitor.model.node import Node, NodeState
from monitor.model.service import UpdateState
from monitor.model.task import Task, TaskState
from monitor.model.view import ServiceView

# swarmkit sets UpdateStatus in a later transaction than the change of the spec.
SETTLING = 2.0

_IN_FLIGHT = (UpdateState.UPDATING, UpdateState.ROLLBACK_STARTED)


def unconverged(view: ServiceView, now: float) -> bool:
    """Whether the service's tasks are to be read again soon: there are no task events.

    `now` in monotonic seconds. Tasks on nodes that are down do not count: they stay as they
    are for 24 hours (swarmkit dispatcher, defaultNodeDownPeriod).
    """
    service = view.service
    if service.update_state in _IN_FLIGHT or now - view.version_since < SETTLING:
        return True
    if any(_moving(task, view.nodes.get(task.node_id)) for task in view.tasks):
        return True
    if service.mode.is_job:
        return False
    if len(view.running_tasks) != view.desired:
        return True
    return service.update_state is None and any(
        task.template != service.template for task in view.live_tasks
    )


def _moving(task: Task, node: Node | None) -> bool:
    """A task that has not come to where it is wanted: starting, pending or stopping."""
    if task.state.ended or (node is not None and node.state is NodeState.DOWN):
        return False
    if task.desired_state > TaskState.COMPLETE:
        return True
    return task.state < TaskState.RUNNING
