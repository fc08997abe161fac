"""`/api/v1/ps?service=NAME`: a service's tasks with why they ended."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from monitor.model.cause import TaskEnd
from monitor.model.task import TaskState
from monitor.web.api import answer, problem, unknown_service
from monitor.web.keys import DOOR, STATE
from monitor.web.present import rfc3339
from monitor.web.state import Refused, WebState

MOST_LOGS = 20
_LOGS_MAY_TAKE = 25.0
"""Seconds: less than another agent waits that passed the question on."""


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
    """Newest first; tasks that the Swarm has forgotten included, for a day.

    `&logs=1` adds `log` to each: of the newest 20 that ended `{lines, why}`, null of others. That
    needs the token, since nobody knows what a program writes into its log.
    """
    name = request.query.get("service")
    if not name:
        return problem(400, "Name the service, as in ?service=web.")
    state = request.app[STATE]
    tasks = state.tasks(name)
    if tasks is None:
        return unknown_service(state, name)
    if request.query.get("logs", "0") == "0":
        return answer([present_task(task) for task in tasks])
    await request.app[DOOR].admit(request, "reading log lines of tasks")
    logs = await _logs(state, tasks)
    return answer([present_task(task) | {"log": logs.get(task.task_id)} for task in tasks])


async def _logs(state: WebState, tasks: Sequence[TaskEnd]) -> dict[str, Any]:
    ended = [task for task in tasks if task.state.ended or task.state is TaskState.REMOVE]
    try:
        async with asyncio.timeout(_LOGS_MAY_TAKE):
            found = await state.logs(ended[:MOST_LOGS])
    except TimeoutError:
        raise Refused(504, "The nodes' agents did not give the log lines in time.") from None
    return {
        task_id: {"lines": list(log.lines), "why": log.why or None}
        for task_id, log in found.items()
    }
