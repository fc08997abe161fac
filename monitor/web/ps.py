"""`/api/v1/ps?service=NAME`: a service's tasks with why they ended."""

from typing import Any

from aiohttp import web

from monitor.model.cause import TaskEnd
from monitor.web.api import answer, problem, unknown_service
from monitor.web.keys import STATE
from monitor.web.present import rfc3339


def present_task(end: TaskEnd) -> dict[str, Any]:
    """`cause` is null for a task that has not ended and waits for nothing."""
    return {
        "task_id": end.task_id,
        "slot": end.slot,
        "node": end.node_name,
        "state": end.state.label,
        "desired_state": end.desired_state.label,
        "image": end.image,
        "since": rfc3339(end.since),
        "exit_code": end.exit_code,
        "cause": None if end.cause is None else str(end.cause),
        "evidence": end.evidence,
        "uptime": None if end.uptime is None else round(end.uptime, 3),
    }


async def ps(request: web.Request) -> web.Response:
    """Newest first; tasks that the Swarm has forgotten included, for a day."""
    name = request.query.get("service")
    if not name:
        return problem(400, "Name the service, as in ?service=web.")
    state = request.app[STATE]
    tasks = state.tasks(name)
    if tasks is None:
        return unknown_service(state, name)
    return answer([present_task(task) for task in tasks])
