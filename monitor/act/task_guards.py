"""Whether one task's container may be stopped, by what a manager says of it right now."""

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.act.guards import ROLLOUT_STATES
from monitor.model.service import Service
from monitor.model.stop_task import StopOrder
from monitor.model.task import Task, TaskState


def check_restarts(service: Service, own_service_id: str | None) -> str:
    """Why no single task of this service may be stopped, "" where one may be.

    Only where Swarm is sure to replace it: a task that exits with 0 is not under `on-failure`,
    and each stop uses up one of `max_attempts`. During a rollout a stop counts as a failure of
    the update.
    """
    name = service.name
    if service.id == own_service_id:
        return f"{name} is the service of this very program"
    if service.mode.is_job:
        return f"{name} is a job: its tasks are not replaced"
    template = _part(service.raw.get("Spec"), "TaskTemplate")
    if not _part(template, "ContainerSpec"):
        return f"the tasks of {name} have no containers"
    policy = _part(template, "RestartPolicy")
    condition = policy.get("Condition") or "any"
    if condition != "any":
        return (
            f"{name} has restart condition {condition}: Swarm would not be sure to replace the task"
            " (docker service update --restart-condition any)"
        )
    if policy.get("MaxAttempts"):
        return (
            f"{name} has a limit of {policy['MaxAttempts']} restarts, of which this would use up"
            " one (docker service update --restart-max-attempts 0)"
        )
    if service.update_state in ROLLOUT_STATES:
        return f"a rollout of {name} is {service.update_state}"
    return ""


def check_task(service: Service, tasks: Sequence[Task], task_id: str) -> Task | str:
    """The task as its service has it now, or why its container may not be stopped.

    tasks: all of the service, read after `service`.
    """
    task = next((task for task in tasks if task.id == task_id), None)
    name = service.name
    if task is None or task.service_id != service.id:
        return f"{name} has no task {task_id}"
    if task.state is not TaskState.RUNNING or task.desired_state is not TaskState.RUNNING:
        return f"task {task_id} of {name} is {task.state.label}, wanted {task.desired_state.label}"
    if not task.node_id or not task.container_id:
        return f"no container of task {task_id} of {name} is known"
    if any(one.template != service.template for one in tasks if one.live):
        return f"not all tasks of {name} are of its present spec: a rollout goes on, or begins"
    return task


def order_for(service: Service, task: Task) -> StopOrder:
    """With the grace period as an engine is given it by Swarm: whole seconds, cut off."""
    container = _part(_part(service.raw.get("Spec"), "TaskTemplate"), "ContainerSpec")
    nanoseconds = container.get("StopGracePeriod")
    grace = None if nanoseconds is None else max(int(nanoseconds), 0) // 1_000_000_000
    return StopOrder(task.id, service.id, task.node_id, task.container_id, grace)


def _part(value: Any, key: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}
