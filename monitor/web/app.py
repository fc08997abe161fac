"""The HTTP application: read-only, and nothing in it waits for the Engine."""

import hashlib
from base64 import b64encode

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from monitor.web import api, page
from monitor.web.keys import STATE
from monitor.web.metrics import metrics
from monitor.web.state import WebState

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
_PATHS = ("/", "/metrics", "/healthz", "/readyz", "/api/v1/status", "/api/v1/decisions")


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer gets the security headers, every error one sentence and no more."""
    try:
        if request.method not in ("GET", "HEAD"):
            response: web.StreamResponse = api.problem(405, "Only GET and HEAD are answered.")
            response.headers["Allow"] = "GET, HEAD"
        else:
            response = await handler(request)
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


def build_app(state: WebState) -> web.Application:
    """All paths over one state; see `serve` for how to run it."""
    app = web.Application(middlewares=[_guard], client_max_size=1024)
    app[STATE] = state
    app.router.add_get("/", page.page)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", api.healthz)
    app.router.add_get("/readyz", api.readyz)
    app.router.add_get("/api/v1/status", api.status)
    app.router.add_get("/api/v1/decisions", api.decisions)
    return app
