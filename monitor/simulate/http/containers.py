"""`/containers`: those of the node's tasks, and what a person may do to them."""

import asyncio
import json
from typing import Any

from aiohttp import web

from monitor.model.container import Health
from monitor.model.task import TaskState
from monitor.simulate.announce import container_labels
from monitor.simulate.http.ago import ago
from monitor.simulate.http.answers import Refused, done, object_answer
from monitor.simulate.http.face import Face, asked
from monitor.simulate.http.filters import Filters, filters_of, labelled
from monitor.simulate.http.lookup import find_container
from monitor.simulate.http.stats import stats_json
from monitor.simulate.output import framed, written
from monitor.simulate.rawjson import container_json
from monitor.simulate.spec import NANO, image_of
from monitor.simulate.state import SimTask

_KINDS = (
    "ancestor",
    "before",
    "exited",
    "expose",
    "health",
    "id",
    "is-task",
    "isolation",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
)
_EVERY = 1.0  # seconds between two answers of a stream of stats


def running(task: SimTask) -> bool:
    """Whether the task's container runs."""
    return task.state in (TaskState.STARTING, TaskState.RUNNING)


async def list_containers(face: Face, request: web.Request) -> web.Response:
    filters = filters_of(request, _KINDS)
    every = asked(request, "all") or "status" in filters
    there = [task for task in face.tasks_here() if task.has_container and (every or running(task))]
    fitting = [task for task in there if _fits(face, filters, task)]
    newest_first = sorted(fitting, key=lambda task: -task.started_ns)
    return object_answer([_listed(face, task) for task in newest_first])


def _fits(face: Face, filters: Filters, task: SimTask) -> bool:
    status = "running" if running(task) else "exited"
    return (
        labelled(filters, container_labels(task))
        and (not filters.get("status") or status in filters["status"])
        and (not filters.get("id") or any(task.container_id.startswith(i) for i in filters["id"]))
        and (not filters.get("name") or any(name in task.name for name in filters["name"]))
        and (not filters.get("health") or face.health(task).value in filters["health"])
        and filters.get("is-task") != ["false"]
    )


def _listed(face: Face, task: SimTask) -> dict[str, Any]:
    raw = container_json(task, face.health(task))
    return {
        "Id": task.container_id,
        "Names": [f"/{task.name}"],
        "Image": image_of(task.spec),
        "ImageID": "",
        "Command": _command(task),
        "Created": task.started_ns // NANO,
        "Ports": [],
        "Labels": raw["Config"]["Labels"],
        "State": raw["State"]["Status"],
        "Status": _status(face, task),
        "HostConfig": {"NetworkMode": "default"},
        "NetworkSettings": {"Networks": {}},
        "Mounts": [],
    }


def _command(task: SimTask) -> str:
    container = task.spec["ContainerSpec"]
    words = [*(container.get("Command") or ()), *(container.get("Args") or ())]
    first, rest = words[:1], words[1:]
    return " ".join([*first, *(f"'{word}'" if " " in word else word for word in rest)])


def _status(face: Face, task: SimTask) -> str:
    now = face.store.stamp()
    if not running(task):
        return f"Exited ({task.exit_code or 0}) {ago((now - task.since_ns) / NANO)} ago"
    health = {
        Health.STARTING: " (health: starting)",
        Health.HEALTHY: " (healthy)",
        Health.UNHEALTHY: " (unhealthy)",
    }.get(face.health(task), "")
    return f"Up {ago((now - task.started_ns) / NANO)}{health}"


async def inspect_container(face: Face, request: web.Request) -> web.Response:
    task = find_container(face.tasks_here(), request.match_info["id"])
    return object_answer(container_json(task, face.health(task)))


async def container_stats(face: Face, request: web.Request) -> web.StreamResponse:
    """One answer with `stream=false`, else one each second until the client has enough."""
    task = find_container(face.tasks_here(), request.match_info["id"])
    stream = request.query.get("stream", "true").lower() not in ("0", "false", "no")
    if stream and asked(request, "one-shot"):
        raise Refused(400, "cannot have stream=true and one-shot=true")
    if not stream:
        return object_answer(stats_json(face, task, running=running(task)))
    response = web.StreamResponse()
    response.content_type = "application/json"
    await response.prepare(request)
    before: dict[str, Any] | None = None
    while task.id in face.store.tasks:
        raw = stats_json(face, task, running=running(task), before=before)
        await response.write(json.dumps(raw).encode() + b"\n")
        before = raw
        await asyncio.sleep(_EVERY)
    return response


async def container_logs(face: Face, request: web.Request) -> web.Response:
    """What is there; it is not followed."""
    task = find_container(face.tasks_here(), request.match_info["id"])
    if not asked(request, "stdout") and not asked(request, "stderr"):
        raise Refused(400, "Bad parameters: you must choose at least one stream")
    lines = written(face.swarm, task) if asked(request, "stdout") else ()
    tail = request.query.get("tail", "all")
    if tail.isascii() and tail.isdigit():
        lines = lines[-int(tail) :] if int(tail) else ()
    return web.Response(body=framed(lines), content_type="application/vnd.docker.raw-stream")


async def end_container(face: Face, request: web.Request) -> web.Response:
    """`stop`, `kill` and removal by hand: the task fails, and its service replaces it.

    Taken away without `force`, a container that runs is a conflict.
    """
    task = find_container(face.tasks_here(), request.match_info["id"])
    verb = request.path.rsplit("/", 1)[-1]
    removed = request.method == "DELETE"
    key = request.match_info["id"]
    if verb == "kill" and not running(task):
        why = f"container {task.container_id} is not running"
        raise Refused(409, f"cannot kill container: {key}: {why}")
    if removed and running(task) and not asked(request, "force"):
        raise Refused(
            409,
            f'cannot remove container "{key}": container is running: stop the container before '
            "removing or force remove",
        )
    if verb == "stop":
        if not running(task):
            return done(304)
        grace = request.query.get("t", "")
        await face.swarm.stop_container(task.id, int(grace) if grace.isdigit() else None)
    elif running(task):
        face.swarm.kill_container(task.id, removed=removed)
    elif removed:
        face.swarm.remove_container(task.id)
    return done(204)
