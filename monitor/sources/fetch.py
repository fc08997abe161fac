"""One bounded question over HTTP, whose every failure is a sentence."""

import asyncio
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Protocol

import aiohttp
from yarl import URL

from monitor import __version__
from monitor.model.scalar import Credentials
from monitor.sources.credentials import Authorization, authorization
from monitor.sources.fault import ServerFault, SourceFault, quoted

MAX_BODY = 1024 * 1024
_MAX_REDIRECTS = 3
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"swarm-monitor/{__version__}",
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """Of any status but a redirect. served_at: the server's own clock, epoch seconds."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    served_at: float | None = None

    @property
    def status_text(self) -> str:
        """`404 Not Found`"""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)


@dataclass(frozen=True, slots=True)
class Request:
    """data: a form to POST; None is a GET."""

    url: URL
    credentials: Credentials
    timeout: float
    data: Mapping[str, str] | None = None


class Fetch(Protocol):
    async def __call__(self, request: Request) -> Answer:
        """Raises SourceFault; always ends within the request's timeout."""


def http_url(text: str, example: str) -> URL:
    """An absolute http or https URL; raises SourceFault that says what to write instead."""
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise SourceFault(f"{quoted(_hidden(text))!r} is no URL to ask: write {example}")
    return url


def where(url: URL) -> str:
    """The URL without user, password, query and fragment: those may hold secrets."""
    return str(URL.build(scheme=url.scheme, host=url.host or "", port=url.port, path=url.path))


async def fetch(session: aiohttp.ClientSession, request: Request) -> Answer:
    """Follows redirects within the same origin alone: others would be shown the secrets.

    Raises SourceFault.
    """
    secret = authorization(request.credentials)
    headers = dict(_HEADERS) | ({"Authorization": secret.header} if secret.header else {})
    try:
        async with asyncio.timeout(request.timeout):
            answer = await _follow(session, request, headers)
    except TimeoutError:
        place = where(request.url)
        raise ServerFault(f"{place} did not answer within {request.timeout:g} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise ServerFault(f"{where(request.url)} {_unreachable(error, secret)}") from None
    if 200 <= answer.status < 300:
        return answer
    return replace(answer, body=secret.scrub(answer.body.decode(errors="replace")).encode())


async def _follow(
    session: aiohttp.ClientSession, request: Request, headers: Mapping[str, str]
) -> Answer:
    url, method = request.url, "GET" if request.data is None else "POST"
    for _ in range(_MAX_REDIRECTS + 1):
        async with session.request(
            method, url, data=request.data, headers=headers, allow_redirects=False
        ) as response:
            if response.status not in _REDIRECTS:
                return Answer(
                    response.status,
                    response.content_type,
                    await _bounded(response, url),
                    _served_at(response.headers),
                )
            url = _next(url, response.headers.get("Location", ""))
    raise ServerFault(f"{where(request.url)} redirects more than {_MAX_REDIRECTS} times")


def _next(url: URL, location: str) -> URL:
    try:
        target = url.join(URL(location))
    except ValueError:
        target = URL()
    if not location or target.scheme not in {"http", "https"} or not target.host:
        raise ServerFault(f"{where(url)} redirects to nowhere: write the address it means")
    if target.origin() != url.origin():
        raise ServerFault(
            f"{where(url)} redirects elsewhere: write {where(target)} if you trust it"
        )
    return target


async def _bounded(response: aiohttp.ClientResponse, url: URL) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > MAX_BODY:
            raise ServerFault(f"{where(url)} answers with more than {MAX_BODY // 1024} KiB")
    return bytes(body)


def _served_at(headers: Mapping[str, str]) -> float | None:
    """`Date` is when the answer was made, `Age` for how long a cache has kept it since."""
    try:
        made = parsedate_to_datetime(headers["Date"]).timestamp()
        return made + int(headers.get("Age", "0"))
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _unreachable(error: Exception, secret: Authorization) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "cannot be reached: its host name is not known here"
        case aiohttp.ClientConnectorCertificateError():
            reason = getattr(error.certificate_error, "verify_message", "") or "it is not valid"
            return f"cannot be trusted: of its certificate is said: {quoted(str(reason))}"
        case aiohttp.ClientConnectorSSLError() | ssl.SSLError():
            return "does not speak TLS as https needs it: write http:// if it has none"
        case aiohttp.ClientConnectorError():
            return f"cannot be reached: {_os_text(error.os_error)}"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError():
            return "broke the connection off before its answer was complete"
        case OSError() if error.strerror:
            return f"cannot be reached: {_os_text(error)}"
        case aiohttp.ClientResponseError():
            return "does not answer as an HTTP server does"
        case _:
            text = quoted(secret.scrub(str(error)))
            return f"cannot be asked: {text or type(error).__name__}"


def _os_text(error: OSError) -> str:
    # asyncio puts the address into strerror; name resolution has negative numbers of its own.
    text = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    return (text or "the connection failed").lower()


def _hidden(text: str) -> str:
    """Without what may be a password or a key."""
    return text.rpartition("@")[2].partition("?")[0]
