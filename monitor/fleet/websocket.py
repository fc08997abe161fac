"""WebSockets as wires, both ends; what a connection may cost before it is one is bounded here."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import aiohttp
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_exceptions import HTTPException

from monitor.fleet.conversation import HANDSHAKE_SECONDS
from monitor.fleet.ends import CLOSE_CODES, End, StreamEnded, told
from monitor.fleet.session import MAX_FRAME
from monitor.fleet.wire import Connect, Wire

PATH = "/stream"
_CLOSE_SECONDS = 1.0
_MOST_BYTES = MAX_FRAME + 1  # of a message; aiohttp takes what is shorter than that
_BROKEN = (OSError, RuntimeError, aiohttp.ClientError, aiohttp.WebSocketError)
_STRANGERS_FAULTS = (OSError, aiohttp.ClientError, HttpProcessingError, HTTPException)


class WebSocketWire:
    """Neither compresses nor pings: frames say themselves that the other side lives."""

    def __init__(self, socket: web.WebSocketResponse | aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, frame: bytes) -> None:
        try:
            await self._socket.send_bytes(frame)
        except _BROKEN:
            raise StreamEnded(End.CLOSED, "The connection broke.") from None

    async def receive(self) -> bytes:
        try:
            message = await self._socket.receive()
        except _BROKEN:
            raise StreamEnded(End.CLOSED, "The connection broke.") from None
        if message.type is aiohttp.WSMsgType.BINARY:
            content: bytes = message.data
            return content
        if message.type is aiohttp.WSMsgType.TEXT or isinstance(
            message.data, aiohttp.WebSocketError
        ):
            raise StreamEnded(
                End.BAD_FRAME, f"It sent what is no frame, or one above {MAX_FRAME} bytes."
            )
        raise told(self._socket.close_code)

    async def close(self, kind: End) -> None:
        code = CLOSE_CODES.get(kind, 1000)
        with contextlib.suppress(TimeoutError, *_BROKEN):
            async with asyncio.timeout(2 * _CLOSE_SECONDS):
                await self._socket.close(code=code, message=kind.value.encode())


class _BoundedServer(web.Server):
    """Cuts connections beyond `most` before they are read from.

    Counted when they are made: asyncio accepts a whole backlog before it tells of the first.
    """

    most = 0

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self.connections) > self.most:
            transport.abort()


def _logger() -> logging.Logger:
    """Passes on what is a mistake of this program, not what strangers send to its port: they
    could fill a disk. It is not registered, so that each door has its own.
    """
    logger = logging.Logger("monitor.fleet.http")  # noqa: LOG001
    logger.parent = logging.getLogger()
    logger.addFilter(_is_a_mistake)
    return logger


def _is_a_mistake(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return error is not None and not isinstance(error, _STRANGERS_FAULTS)


class _Door:
    """Upgrades requests to wires. A connection that is none in time is cut."""

    def __init__(self, attend: Callable[[Wire, str], Awaitable[None]], most: int) -> None:
        self._attend = attend
        self._upgraded: set[object] = set()
        self.server = _BoundedServer(self._on_request, access_log=None, logger=_logger())
        self.server.most = most

    def protocol(self) -> asyncio.Protocol:
        made = self.server()
        asyncio.get_running_loop().call_later(HANDSHAKE_SECONDS, self._cut, made)
        return made

    def _cut(self, protocol: web.RequestHandler) -> None:
        if protocol not in self._upgraded:
            protocol.force_close()

    async def _on_request(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != PATH or request.method != "GET":
            return web.Response(status=404, text="Only agents talk here, on /stream.\n")
        socket = web.WebSocketResponse(
            timeout=_CLOSE_SECONDS, max_msg_size=_MOST_BYTES, compress=False
        )
        if not socket.can_prepare(request).ok:
            return web.Response(status=426, text="Only agents talk here, over a WebSocket.\n")
        protocol = request.protocol
        self._upgraded.add(protocol)
        try:
            try:
                await socket.prepare(request)
            except _BROKEN:  # it left again; nobody reads this
                return web.Response(status=400)
            await self._attend(WebSocketWire(socket), request.remote or "")
        finally:
            self._upgraded.discard(protocol)
            protocol.force_close()
        return socket


@asynccontextmanager
async def listen(
    attend: Callable[[Wire, str], Awaitable[None]], host: str, port: int, most: int
) -> AsyncIterator[Callable[[], int]]:
    """Gives each connection's wire, and the address it comes from, to `attend` until it returns.

    Gives a function that says the port. most: connections at once, whatever they turn out to be.
    Raises OSError where the address cannot be listened on.
    """
    door = _Door(attend, most)
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(door.protocol, host or None, port)
    try:
        bound: int = listener.sockets[0].getsockname()[1]
        yield lambda: bound
    finally:
        listener.close()
        await door.server.shutdown(_CLOSE_SECONDS)


@asynccontextmanager
async def connector() -> AsyncIterator[Connect]:
    """Connects WebSockets for as long as the block lasts: no proxies, cookies or redirects."""
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_no_redirects)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=10),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        trace_configs=[trace],
    ) as session:

        @asynccontextmanager
        async def connect(address: str) -> AsyncIterator[Wire]:
            wire = WebSocketWire(await _open(session, address))
            reason = End.LEAVING
            try:
                yield wire
            except StreamEnded as end:
                reason = end.kind
                raise
            finally:
                await wire.close(reason)

        yield connect


async def _open(session: aiohttp.ClientSession, address: str) -> aiohttp.ClientWebSocketResponse:
    try:
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            return await session.ws_connect(
                f"http://{address}{PATH}",
                max_msg_size=_MOST_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
            )
    except TimeoutError:
        why = f"did not answer within {HANDSHAKE_SECONDS:.0f} s"
    except aiohttp.WSServerHandshakeError as error:
        why = f"answers with HTTP status {error.status}, so that is no agent's port"
    except aiohttp.ClientConnectorError as error:
        # asyncio puts its own words, with the address again, in the place of the system's.
        number = error.os_error.errno
        why = os.strerror(number).lower() if number and number > 0 else "cannot be reached"
    except (*_BROKEN, ValueError) as error:
        why = f"cannot be reached ({type(error).__name__})"
    raise StreamEnded(End.UNREACHABLE, f"{address}: {why}.")


async def _no_redirects(
    session: aiohttp.ClientSession, context: SimpleNamespace, facts: object
) -> None:
    raise aiohttp.ClientError("an agent does not redirect")
