"""How a simulated Swarm's services fare, over HTTP: what a rule's `http` metric can read.

`GET /loads` answers all services that serve requests by name, `GET /loads/NAME` one, and
`GET /metrics` the same for a Prometheus server to scrape.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from aiohttp import web

from monitor.ports.errors import NotFound
from monitor.simulate.http.server import CannotServe
from monitor.simulate.serving import Served
from monitor.simulate.swarm import Swarm

_SHUTDOWN_SECONDS = 0.5

_FAMILIES = (
    ("rate", "gauge", "Requests per second that come."),
    ("capacity", "gauge", "Requests per second that the running tasks can serve."),
    ("utilization", "gauge", "Share of the capacity in use."),
    ("queue", "gauge", "Requests that wait."),
    ("latency", "gauge", "Seconds that a request takes; absent while no task runs."),
    ("in_service", "gauge", "Requests being served."),
    ("served", "counter", "Requests served."),
    ("refused", "counter", "Requests refused."),
)
_UNITS = {"latency": "_seconds", "served": "_total", "refused": "_total"}


@asynccontextmanager
async def serve_loads(swarm: Swarm, host: str, port: int) -> AsyncIterator[int]:
    """Until the block ends; yields the port, which may be asked for as 0. Raises CannotServe."""
    runner = web.AppRunner(
        build_loads(swarm),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=_SHUTDOWN_SECONDS,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            why = error.strerror or str(error)
            raise CannotServe(f"{host}:{port} cannot be listened on: {why}") from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def build_loads(swarm: Swarm) -> web.Application:
    async def everything(_: web.Request) -> web.Response:
        return web.json_response({name: asdict(one) for name, one in served_by(swarm).items()})

    async def one(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        try:
            served = swarm.served(name)
        except NotFound:
            return web.json_response({"message": f"no service is named {name}"}, status=404)
        if served is None:
            message = f"{name} has no requests: its scenario gives it cores"
            return web.json_response({"message": message}, status=404)
        return web.json_response(asdict(served))

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(text=exposition(served_by(swarm)))

    app = web.Application()
    app.router.add_get("/loads", everything)
    app.router.add_get("/loads/{name}", one)
    app.router.add_get("/metrics", metrics)
    return app


def served_by(swarm: Swarm) -> dict[str, Served]:
    """By service name, of those that serve requests."""
    found: dict[str, Served] = {}
    for service in swarm.store.services.values():
        served = swarm.served(service.id)
        if served is not None:
            found[service.name] = served
    return found


def exposition(served: dict[str, Served]) -> str:
    """In Prometheus' text format; names of services need no escapes."""
    lines: list[str] = []
    for field, kind, text in _FAMILIES:
        name = f"simulated_requests_{field}{_UNITS.get(field, '')}"
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        for service, one in served.items():
            value = getattr(one, field)
            if value is not None:
                lines.append(f'{name}{{service="{service}"}} {value!r}')
    return "\n".join(lines) + "\n"
