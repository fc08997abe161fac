"""What only the acting agent knows is asked of it, whichever agent a person asked."""

import asyncio
import io
from collections.abc import AsyncIterator

import aiohttp
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from monitor.web.body import LARGE
from monitor.web.keys import STATE
from monitor.web.state import ActingAgent, Refused

FORWARDED = "X-Swarm-Monitor-Forwarded"
"""On a request that another agent passed on: it is answered by whoever gets it."""

ANSWERED_BY = "X-Swarm-Monitor-Answered-By"
"""On an answer: the name of the node whose agent gave it."""

_DEADLINE = aiohttp.ClientTimeout(total=30.0, sock_connect=2.0)
_MOST = 64 * 1024 * 1024
"""Bytes of an answer that are passed on at most."""

_PASSED_ON = ("Authorization", "Content-Type", "Content-Encoding", "Accept")
_SESSION: web.AppKey[aiohttp.ClientSession] = web.AppKey("forwarding", aiohttp.ClientSession)
_log = structlog.get_logger("monitor.web")


async def session(app: web.Application) -> AsyncIterator[None]:
    """Holds the connections to other agents as long as the application runs."""
    async with aiohttp.ClientSession(
        timeout=_DEADLINE, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    ) as connections:
        app[_SESSION] = connections
        yield


@web.middleware
async def forward(request: web.Request, handler: Handler) -> web.StreamResponse:
    """`/api/v1/...` is answered by the acting agent, unless `?local=1` asks for this one.

    Where the actor cannot be reached, this agent's own view is a fair answer to whoever reads;
    whoever changes something must know that it did not happen.
    """
    if (
        not request.path.startswith("/api/v1/")
        or FORWARDED in request.headers
        or request.query.get("local", "0") != "0"
    ):
        return await handler(request)
    actor = request.app[STATE].acting_agent()
    if actor is None:
        return await handler(request)
    try:
        return await _ask(request, actor)
    except (aiohttp.ClientError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        _log.info("the acting agent could not be asked", node=actor.node_name, why=why)
        if request.method in ("GET", "HEAD"):
            return await handler(request)
        raise Refused(
            502,
            f"Nothing was changed as far as is known here: the acting agent on "
            f"{actor.node_name} did not answer ({why}). Ask it itself, at {actor.url}.",
        ) from None


async def _ask(request: web.Request, actor: ActingAgent) -> web.Response:
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    headers[FORWARDED] = "1"
    body = await _body(request)
    async with (
        asyncio.timeout(_DEADLINE.total),
        request.app[_SESSION].request(
            request.method,
            actor.url + request.path_qs,
            headers=headers,
            data=None if body is None else io.BytesIO(body),
            allow_redirects=False,
        ) as answer,
    ):
        text = await answer.content.read(_MOST)
        while chunk := await answer.content.read(_MOST):
            text += chunk
            if len(text) > _MOST:
                raise aiohttp.ClientPayloadError(f"its answer is over {_MOST >> 20} MiB")
    return web.Response(
        status=answer.status,
        body=text,
        headers={
            "Content-Type": answer.headers.get("Content-Type", "application/json"),
            ANSWERED_BY: actor.node_name,
        },
    )


async def _body(request: web.Request) -> bytes | None:
    """The request's body, which stays there to be read by this agent's own handler."""
    if not request.can_read_body:
        return None
    if (request.content_length or 0) > LARGE:
        raise Refused(413, f"The body is larger than {LARGE // 1024} KiB.")
    body = bytearray()
    async with asyncio.timeout(10.0):
        async for chunk in request.content.iter_chunked(64 * 1024):
            body += chunk
            if len(body) > LARGE:
                raise Refused(413, f"The body is larger than {LARGE // 1024} KiB.")
    return bytes(body)
