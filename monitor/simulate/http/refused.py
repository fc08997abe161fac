"""What a simulated Swarm has not: each is refused with a sentence, none ends in a crash."""

import re

from aiohttp import web

from monitor.simulate.http.answers import Refused, list_answer, message_answer, object_answer
from monitor.simulate.http.face import Face, Handler
from monitor.simulate.http.lookup import find_container, find_service, find_task

_NO_LOGS = (
    "the simulated Swarm keeps no logs of services and tasks: docker logs CONTAINER, on the node "
    "of one, tells how it began and ended"
)
_NO_IMAGES = (
    "the simulated Swarm has no images, and starts no container by itself: create a service "
    "(docker service create), whose image may have any name"
)
_NO_VOLUMES = "the simulated Swarm has no volumes: services may name them, nothing is stored"
_NO_PROCESSES = "nothing runs within a simulated container"
_FAMILIES = (
    "/auth",
    "/build/",
    "/commit",
    "/containers/",
    "/exec/",
    "/images/",
    "/networks/",
    "/plugins/",
    "/session",
    "/swarm/",
    "/system/",
    "/volumes/",
)
_ONE_SWARM = "a simulated Swarm stays as it is: end it, or begin another with other --nodes"


async def no_service_logs(face: Face, request: web.Request) -> web.Response:
    find_service(face.store, request.match_info["id"])
    raise Refused(501, _NO_LOGS)


async def no_task_logs(face: Face, request: web.Request) -> web.Response:
    find_task(face.store, request.match_info["id"])
    raise Refused(501, _NO_LOGS)


async def no_processes(face: Face, request: web.Request) -> web.Response:
    find_container(face.tasks_here(), request.match_info["id"])
    raise Refused(501, _NO_PROCESSES)


async def no_images(face: Face, request: web.Request) -> web.Response:
    raise Refused(501, _NO_IMAGES)


async def no_image(face: Face, request: web.Request) -> web.Response:
    raise Refused(404, f"No such image: {request.match_info['name']}")


async def no_new_volume(face: Face, request: web.Request) -> web.Response:
    raise Refused(501, _NO_VOLUMES)


async def no_volume(face: Face, request: web.Request) -> web.Response:
    raise Refused(404, f"volume {request.match_info['id']} not found")


async def one_swarm(face: Face, request: web.Request) -> web.Response:
    raise Refused(501, _ONE_SWARM)


async def no_plugin(face: Face, request: web.Request) -> web.Response:
    raise Refused(404, f'plugin "{request.match_info["id"]}" not found')


async def no_registry(face: Face, request: web.Request) -> web.Response:
    """No image is looked up anywhere, so clients keep the tag as it was given."""
    return message_answer(403, "a simulated Swarm asks no registry")


async def empty_list(face: Face, request: web.Request) -> web.Response:
    return list_answer([])


async def empty_volumes(face: Face, request: web.Request) -> web.Response:
    return object_answer({"Volumes": [], "Warnings": None})


async def no_disk(face: Face, request: web.Request) -> web.Response:
    return object_answer(
        {"LayersSize": 0, "Images": [], "Containers": [], "Volumes": [], "BuildCache": []}
    )


def lacking(request: web.Request) -> Refused:
    """For a path that is served nowhere: what a real engine has there is named as lacking."""
    path = re.sub(r"^/v\d+\.\d+", "", request.path)
    if path.startswith(_FAMILIES):
        return Refused(501, f"the simulated Swarm does not know {request.method} {path}")
    return Refused(404, "page not found")


# Method, path, handler, and the fault that holds for it, as in the routes of app.py.
ROUTES: tuple[tuple[str, str, Handler, str], ...] = (
    ("GET", "/services/{id}/logs", no_service_logs, "logs"),
    ("GET", "/tasks/{id}/logs", no_task_logs, "logs"),
    ("GET", "/containers/{id}/top", no_processes, "top"),
    ("POST", "/containers/{id}/exec", no_processes, "exec"),
    ("POST", "/containers/{id}/attach", no_processes, "attach"),
    ("POST", "/containers/create", no_images, "images"),
    ("POST", "/images/create", no_images, "images"),
    ("POST", "/build", no_images, "images"),
    ("GET", "/images/json", empty_list, "images"),
    ("GET", r"/images/{name:.+}/json", no_image, "images"),
    ("GET", "/plugins", empty_list, "plugins"),
    ("GET", "/plugins/{id}/json", no_plugin, "plugins"),
    ("GET", "/system/df", no_disk, "disk"),
    ("GET", "/volumes", empty_volumes, "volumes"),
    ("POST", "/volumes/create", no_new_volume, "volumes"),
    ("GET", "/volumes/{id}", no_volume, "volumes"),
    ("DELETE", "/volumes/{id}", no_volume, "volumes"),
    ("POST", "/swarm/init", one_swarm, "swarm"),
    ("POST", "/swarm/join", one_swarm, "swarm"),
    ("POST", "/swarm/leave", one_swarm, "swarm"),
    ("POST", "/swarm/update", one_swarm, "swarm"),
    ("GET", r"/distribution/{name:.+}/json", no_registry, "distribution"),
)
