"""Requests to one Engine: version, deadline, bounded body, one family of faults."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import aiodocker
import aiohttp

from monitor import __version__
from monitor.engine import body as bodies
from monitor.engine.address import Address
from monitor.engine.calls import CallStats
from monitor.engine.faults import fault_of
from monitor.engine.raw import text
from monitor.ports.errors import (
    BadAnswer,
    BadRequest,
    DeadlineExceeded,
    EngineError,
    Unreachable,
)

T = TypeVar("T")

MAX_BODY = 256 << 20  # bytes; 10,000 tasks are some 20 MB
_MAX_ERROR_BODY = 64 << 10


class Transport:
    """aiodocker's session to one Engine, used through its public attributes alone.

    `deadline` is in seconds throughout and covers connecting, waiting and reading.
    """

    def __init__(self, address: Address, *, max_body: int = MAX_BODY) -> None:
        self.stats = CallStats()
        self._address = address
        self._max_body = max_body
        self._docker: aiodocker.Docker | None = None
        self._negotiating = asyncio.Lock()

    async def open(self) -> None:
        """Makes the session; connects to nothing yet. Needs a running loop."""
        if self._docker is not None:
            return
        connector = self._address.connector()
        session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(),  # deadlines are per call, streams have none
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "Accept": "application/json",
                "User-Agent": f"swarm-monitor/{__version__}",
            },
        )
        # A session and connector of our own: aiodocker then neither picks an address from the
        # environment nor leaves anything open when its own closing fails.
        self._docker = aiodocker.Docker(
            url=self._address.base, session=session, connector=connector
        )

    async def close(self) -> None:
        """Closes every connection, streams included. May be called again."""
        docker, self._docker = self._docker, None
        if docker is None:
            return
        try:
            await docker.close()
        finally:
            await docker.session.close()

    @property
    def api_version(self) -> str:
        """ "1.41", or "" while it is not known."""
        version = self._opened().api_version
        return "" if version == "auto" else version.removeprefix("v")

    def api_at_least(self, major: int, minor: int) -> bool:
        """Whether the version spoken is that or newer; False while it is not known."""
        found = tuple(int(number) for number in self.api_version.split(".") if number)
        return found >= (major, minor)

    async def refresh_version(self, deadline: float) -> None:
        """Asks the daemon for its newest API version and speaks that from now on."""
        reader = bodies.Whole(bodies.one)
        raw = await self._attempt("GET", "/version", "/version", reader, deadline)
        version = text(raw, "ApiVersion")
        numbers = version.split(".")
        if len(numbers) != 2 or not all(part.isascii() and part.isdigit() for part in numbers):
            raise BadAnswer(f"GET /version: ApiVersion is {version!r}: not a Docker Engine?")
        self._opened().api_version = f"v{version}"

    async def call(
        self,
        method: str,
        endpoint: str,
        parser: Callable[[bytes], T],
        *,
        deadline: float,
        object_id: str = "",
        params: Mapping[str, str] | None = None,
        content: Any = None,
        versioned: bool = True,
    ) -> T:
        """One request, its answer parsed; raises EngineError. See `read`."""
        return await self.read(
            method,
            endpoint,
            lambda: bodies.Whole(parser),
            deadline=deadline,
            object_id=object_id,
            params=params,
            content=content,
            versioned=versioned,
        )

    async def read(
        self,
        method: str,
        endpoint: str,
        reader: Callable[[], bodies.Reader[T]],
        *,
        deadline: float,
        object_id: str = "",
        params: Mapping[str, str] | None = None,
        content: Any = None,
        versioned: bool = True,
    ) -> T:
        """One request, its answer taken in by a reader of its own; raises EngineError.

        `endpoint` is a template such as "/services/{id}", filled with `object_id`; `content` is
        sent as JSON. Refused for the API version, the request is sent once more with the newest.
        """
        path = endpoint.replace("{id}", quote(object_id, safe=""))
        loop = asyncio.get_running_loop()
        ends = loop.time() + deadline

        async def attempt() -> T:
            prefix = await self._prefix(ends - loop.time()) if versioned else ""
            left = ends - loop.time()
            return await self._attempt(
                method, endpoint, prefix + path, reader(), left, params=params, content=content
            )

        try:
            return await attempt()
        except BadRequest as error:
            if not (versioned and _version_refused(str(error))):
                raise
            await self.refresh_version(ends - loop.time())
            return await attempt()

    @asynccontextmanager
    async def stream(
        self, endpoint: str, *, deadline: float, params: Mapping[str, str]
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Opens a GET whose answer does not end; gives its chunks. `deadline` is for opening.

        Asks for the API version first: a stream opened anew often means a new daemon. Leaving
        closes the connection.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + deadline
        await self.refresh_version(deadline)
        path = await self._prefix(ends - loop.time()) + endpoint
        response = await self._open_stream(endpoint, path, ends - loop.time(), params)
        try:
            yield self._chunks(response)
        finally:
            response.close()

    async def _open_stream(
        self, endpoint: str, path: str, deadline: float, params: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        began = asyncio.get_running_loop().time()
        failure: str | None = None
        response: aiohttp.ClientResponse | None = None
        try:
            async with self._within(deadline, f"GET {endpoint}"):
                response = await self._send("GET", path, params, None)
                await self._refuse_errors(response, "GET", endpoint)
        except BaseException as error:
            failure = error.reason if isinstance(error, EngineError) else "cancelled"
            if response is not None:
                response.close()
            raise
        finally:
            spent = asyncio.get_running_loop().time() - began
            self.stats.record("GET", endpoint, spent, failure)
        return response

    async def _attempt(
        self,
        method: str,
        endpoint: str,
        path: str,
        reader: bodies.Reader[T],
        deadline: float,
        *,
        params: Mapping[str, str] | None = None,
        content: Any = None,
    ) -> T:
        began = asyncio.get_running_loop().time()
        failure: str | None = None
        try:
            async with self._within(deadline, f"{method} {endpoint}"):
                response = await self._send(method, path, params, content)
                async with response:
                    await self._refuse_errors(response, method, endpoint)
                    await reader.take(self._chunks(response), self._max_body)
                return await reader.result()
        except BadAnswer as error:
            failure = error.reason
            if str(error).startswith(f"{method} "):
                raise
            raise BadAnswer(f"{method} {endpoint}: {error}") from error
        except EngineError as error:
            failure = error.reason
            raise
        except asyncio.CancelledError:
            failure = "cancelled"
            raise
        finally:
            spent = asyncio.get_running_loop().time() - began
            self.stats.record(method, endpoint, spent, failure)

    async def _send(
        self, method: str, path: str, params: Mapping[str, str] | None, content: Any
    ) -> aiohttp.ClientResponse:
        docker = self._opened()
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            return await docker.session.request(
                method,
                f"{docker.docker_host}{path}",
                params=params,
                data=None if content is None else json.dumps(content).encode(),
                headers=headers,
                allow_redirects=False,
            )
        except (aiohttp.ClientConnectorError, OSError) as error:
            raise self._address.fault(error) from error
        except aiohttp.ClientResponseError as error:
            raise BadAnswer(f"{method} {path}: not an HTTP answer: {error.message}") from error
        except aiohttp.ClientError as error:
            raise self._address.fault(error) from error

    async def _chunks(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        try:
            async for chunk in response.content.iter_any():
                yield chunk
        except aiohttp.ClientPayloadError as error:
            raise BadAnswer("the answer was cut off in the middle") from error
        except (aiohttp.ClientError, OSError) as error:
            words = str(error) or type(error).__name__
            raise Unreachable(f"the connection to the engine broke: {words}") from error

    async def _refuse_errors(
        self, response: aiohttp.ClientResponse, method: str, endpoint: str
    ) -> None:
        if response.status < 300 or response.status == 304:  # it is as the call wants it already
            return
        body = await bodies.gather(self._chunks(response), _MAX_ERROR_BODY)
        raise fault_of(response.status, body, writes=method != "GET", call=f"{method} {endpoint}")

    @asynccontextmanager
    async def _within(self, deadline: float, call: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(max(0.0, deadline)):
                yield
        except TimeoutError as error:
            raise DeadlineExceeded(f"{call}: no answer from the engine in time") from error

    async def _prefix(self, deadline: float) -> str:
        docker = self._opened()
        if docker.api_version == "auto":
            async with self._negotiating:
                if docker.api_version == "auto":
                    await self.refresh_version(deadline)
        return f"/{docker.api_version}"

    def _opened(self) -> aiodocker.Docker:
        if self._docker is None:
            raise Unreachable("the connection to the engine is closed")
        return self._docker


def _version_refused(message: str) -> bool:
    return "client version" in message and ("too new" in message or "too old" in message)
