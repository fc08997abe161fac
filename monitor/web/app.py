"""The HTTP application; nothing in it waits for the Engine.

Reading is open to whoever reaches the port, changing needs the operator's token. There are no
cookies and no CORS headers, so a page in a browser cannot change anything in somebody's name.
"""

import asyncio
import hashlib
from base64 import b64encode

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from monitor.web import api, page
from monitor.web.door import Door
from monitor.web.explain import explain
from monitor.web.forward import forward, session
from monitor.web.keys import DOOR, EXPLAINING, STATE
from monitor.web.metrics import metrics
from monitor.web.pauses import pause, pauses, resume
from monitor.web.ps import ps
from monitor.web.rollback import roll_back, unpark
from monitor.web.state import Refused, WebState

_log = structlog.get_logger(__name__)

_STYLE_HASH = b64encode(hashlib.sha256(page.STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_READING = ("GET", "HEAD")
_METHODS = {
    "/api/v1/pauses": (*_READING, "POST", "DELETE"),
    "/api/v1/explain": ("POST",),
    "/api/v1/rollback": ("POST",),
    "/api/v1/unpark": ("POST",),
}
"""Of the paths that take others than _READING."""

_PATHS = (
    *("/", "/metrics", "/healthz", "/readyz", "/api/v1/status", "/api/v1/decisions"),
    "/api/v1/ps",
    *_METHODS,
)

_EXPLANATIONS = 2
"""At the same time: they may take seconds, and whoever reaches the port may ask for them."""


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer gets the security headers, every error one sentence and no more."""
    try:
        allowed = _METHODS.get(request.path, _READING)
        if request.method not in allowed:
            methods = " and ".join(allowed)
            response: web.StreamResponse = api.problem(405, f"Only {methods} is answered here.")
            response.headers["Allow"] = ", ".join(allowed)
        else:
            response = await handler(request)
    except Refused as refused:
        response = api.problem(refused.status, str(refused))
    except web.HTTPNotFound:
        known = ", ".join(_PATHS)
        response = api.problem(404, f"There is nothing at this address; there is {known}.")
    except web.HTTPException as error:
        response = api.problem(error.status, f"{error.reason}.")
    except Exception:  # noqa: BLE001 - the one place where a bug becomes an answer
        _log.exception("a request failed", path=request.path)
        response = api.problem(500, "The agent failed to answer; its log says why.")
    response.headers.update(_HEADERS)
    return response


def build_app(state: WebState, door: Door | None = None) -> web.Application:
    """All paths over one state; see `serve` for how to run it.

    door: who may change something; None: nobody.
    """
    app = web.Application(middlewares=[_guard, forward], client_max_size=1024)
    app.cleanup_ctx.append(session)
    app[STATE] = state
    app[DOOR] = door if door is not None else Door()
    app[EXPLAINING] = asyncio.Semaphore(_EXPLANATIONS)
    app.router.add_get("/", page.page)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", api.healthz)
    app.router.add_get("/readyz", api.readyz)
    app.router.add_get("/api/v1/status", api.status)
    app.router.add_get("/api/v1/decisions", api.decisions)
    app.router.add_get("/api/v1/ps", ps)
    app.router.add_get("/api/v1/pauses", pauses)
    app.router.add_post("/api/v1/pauses", pause)
    app.router.add_delete("/api/v1/pauses", resume)
    app.router.add_post("/api/v1/rollback", roll_back)
    app.router.add_post("/api/v1/unpark", unpark)
    app.router.add_post("/api/v1/explain", explain)
    return app
