"""The Engine API of one simulated node as an aiohttp application."""

import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from monitor.ports.errors import EngineError, Unreachable
from monitor.simulate.http import (
    configs,
    containers,
    events,
    networks,
    nodes,
    refused,
    secrets,
    services,
    system,
    tasks,
)
from monitor.simulate.http.answers import (
    NO_LEADER,
    NOT_A_MANAGER,
    Refused,
    message_answer,
    refusal,
)
from monitor.simulate.http.face import Face, Handler
from monitor.simulate.rawjson import API_VERSION, ENGINE_VERSION

_MOST_BYTES = 64 << 20
_PREFIX = r"/v{version:\d+\.\d+}"
_MANAGER = ("/services", "/nodes", "/tasks", "/configs", "/secrets", "/swarm")

# The name behind a route is the port's method whose faults (see EngineFaults) hold for it.
_ROUTES: tuple[tuple[str, str, Handler, str], ...] = (
    ("GET", "/_ping", system.ping, "ping"),
    ("GET", "/version", system.version, "version"),
    ("GET", "/info", system.info, "identity"),
    ("GET", "/swarm", system.swarm, "swarm"),
    ("GET", "/nodes", nodes.list_nodes, "nodes"),
    ("GET", "/nodes/{id}", nodes.inspect_node, "node"),
    ("POST", "/nodes/{id}/update", nodes.update_node, "update_node"),
    ("DELETE", "/nodes/{id}", nodes.remove_node, "remove_node"),
    ("GET", "/services", services.list_services, "services"),
    ("POST", "/services/create", services.create_service, "create_service"),
    ("GET", "/services/{id}", services.inspect_service, "service"),
    ("POST", "/services/{id}/update", services.update_service, "update_service"),
    ("DELETE", "/services/{id}", services.remove_service, "remove_service"),
    ("GET", "/tasks", tasks.list_tasks, "tasks"),
    ("GET", "/tasks/{id}", tasks.inspect_task, "task"),
    ("GET", "/configs", configs.list_configs, "config"),
    ("POST", "/configs/create", configs.create_config, "create_config"),
    ("GET", "/configs/{id}", configs.inspect_config, "config"),
    ("POST", "/configs/{id}/update", configs.update_config, "update_config"),
    ("DELETE", "/configs/{id}", configs.remove_config, "remove_config"),
    ("GET", "/containers/json", containers.list_containers, "containers"),
    ("GET", "/containers/{id}/json", containers.inspect_container, "container"),
    ("GET", "/containers/{id}/stats", containers.container_stats, "stats"),
    ("GET", "/containers/{id}/logs", containers.container_logs, "logs"),
    ("POST", "/containers/{id}/stop", containers.end_container, "stop"),
    ("POST", "/containers/{id}/kill", containers.end_container, "stop"),
    ("DELETE", "/containers/{id}", containers.end_container, "stop"),
    ("GET", "/events", events.stream_events, "events"),
    ("GET", "/networks", networks.list_networks, "networks"),
    ("POST", "/networks/create", networks.create_network, "create_network"),
    ("GET", "/networks/{id}", networks.inspect_network, "networks"),
    ("DELETE", "/networks/{id}", networks.remove_network, "remove_network"),
    ("GET", "/secrets", secrets.list_secrets, "secrets"),
    ("POST", "/secrets/create", secrets.create_secret, "create_secret"),
    ("GET", "/secrets/{id}", secrets.inspect_secret, "secrets"),
    ("POST", "/secrets/{id}/update", secrets.update_secret, "update_secret"),
    ("DELETE", "/secrets/{id}", secrets.remove_secret, "remove_secret"),
    *refused.ROUTES,
)

_Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_app(face: Face) -> web.Application:
    """Every path with and without the version in front, as the daemon has them."""

    @web.middleware
    async def answer(request: web.Request, handler: _Next) -> web.StreamResponse:
        try:
            _check_version(request)
            return await handler(request)
        except Refused as known:
            return message_answer(known.status, str(known))
        except Unreachable as error:
            return _hang_up(request, error)
        except EngineError as error:
            told = refusal(error)
            return message_answer(told.status, str(told))
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            lacking = refused.lacking(request)
            return message_answer(lacking.status, str(lacking))
        except web.HTTPRequestEntityTooLarge as error:
            return message_answer(400, f"invalid JSON: {error.text}")

    app = web.Application(middlewares=[answer], client_max_size=_MOST_BYTES)
    app.on_response_prepare.append(_sign)
    for method, path, handler, name in _ROUTES:
        served = _served(face, path, handler, name)
        for full in (path, _PREFIX + path):
            app.router.add_route(method, full, served)
            if path == "/_ping":
                app.router.add_route("HEAD", full, served)
    return app


def _served(face: Face, path: str, handler: Handler, name: str) -> _Next:
    for_managers = path.startswith(_MANAGER)

    async def serve(request: web.Request) -> web.StreamResponse:
        await face.engine.faults.on_the_way(name)
        if for_managers:
            _check_manager(face)
        answer = await handler(face, request)
        await face.engine.faults.on_the_way_back(name, request.match_info.get("id", ""))
        return answer

    return serve


def _check_manager(face: Face) -> None:
    if not face.is_manager:
        raise Refused(503, NOT_A_MANAGER)
    if not face.swarm.has_leader:
        raise Refused(500, NO_LEADER)


def _check_version(request: web.Request) -> None:
    found = re.match(r"/v(\d+)\.(\d+)/", request.path)
    if found is None:
        return
    asked = (int(found[1]), int(found[2]))
    for limit, word, edge in (
        (API_VERSION, "new", "Maximum"),
        (system.MIN_API_VERSION, "old", "Minimum"),
    ):
        major, minor = (int(number) for number in limit.split("."))
        beyond = asked > (major, minor) if word == "new" else asked < (major, minor)
        if beyond:
            raise Refused(
                400,
                f"client version {asked[0]}.{asked[1]} is too {word}. {edge} supported API "
                f"version is {limit}",
            )


def _hang_up(request: web.Request, error: EngineError) -> web.Response:
    """What a daemon that is gone answers: nothing."""
    if request.transport is not None:
        request.transport.close()
    return message_answer(500, str(error))


async def _sign(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Api-Version"] = API_VERSION
    response.headers["Docker-Experimental"] = "false"
    response.headers["Ostype"] = "linux"
    response.headers["Server"] = f"Docker/{ENGINE_VERSION} (linux)"
