"""An HTTP server on loopback that answers as a test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from monitor.sources.fetch import Fetch
from monitor.sources.session import http_fetch

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Server:
    """`handler` may be replaced at any time. seen: method, path with query, form, headers."""

    url: str
    handler: Handler
    seen: list[tuple[str, str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Server]:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        form = {key: str(value) for key, value in (await request.post()).items()}
        server.seen.append((request.method, request.path_qs, form, dict(request.headers)))
        server.at_once += 1
        server.most_at_once = max(server.most_at_once, server.at_once)
        try:
            return await server.handler(request)
        finally:
            server.at_once -= 1

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server = Server(f"http://{host}:{port}", handler)
    try:
        yield server
    finally:
        await runner.cleanup()


def saying(body: str | bytes, **options: object) -> Handler:
    """The same body to whatever is asked, as JSON where no `content_type` says otherwise."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        given = {"content_type": "application/json"} | options
        raw = body if isinstance(body, bytes) else body.encode()
        return web.Response(body=raw, **given)  # type: ignore[arg-type]

    return answer


async def silent(request: web.BaseRequest) -> web.StreamResponse:
    """Answers in an hour."""
    await asyncio.sleep(3600)
    return web.Response()


@asynccontextmanager
async def asking(handler: Handler) -> AsyncIterator[tuple[Server, Fetch]]:
    """A server and what to ask it with."""
    async with serving(handler) as server, http_fetch() as fetch:
        yield server, fetch
