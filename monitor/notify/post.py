"""One message over HTTP, once."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from monitor import __version__
from monitor.notify.target import Address

TIMEOUT = 10.0
_MOST_WORDS = 200
_AGAIN = frozenset({408, 425, 429})
LONGEST_WAIT = 300.0
"""Seconds that a receiver may ask to be left alone at most."""


@dataclass(frozen=True, slots=True)
class Answer:
    """why: "" where it was taken. again: whether another try may help. wait: seconds that the
    receiver asks for before that."""

    why: str = ""
    again: bool = False
    wait: float = 0.0


Post = Callable[[Address, Any], Awaitable[Answer]]


@asynccontextmanager
async def http_post() -> AsyncIterator[Post]:
    """Keeps no cookies, follows no redirects (what was sent would go elsewhere), ends in 10 s."""
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT, sock_connect=5.0),
        headers={"User-Agent": f"swarm-monitor/{__version__}"},
    ) as session:

        async def post(address: Address, content: Any) -> Answer:
            try:
                return await _post(session, address, content)
            except TimeoutError:
                return Answer(f"no answer within {TIMEOUT:.0f} s", again=True)
            except (aiohttp.ClientError, OSError, ValueError) as error:
                words = address.scrub(str(error)) or type(error).__name__
                return Answer(words[:_MOST_WORDS], again=True)

        yield post


async def _post(session: aiohttp.ClientSession, address: Address, content: Any) -> Answer:
    body = json.dumps(content).encode()
    headers = {"Content-Type": "application/json", **address.headers}
    async with session.post(
        address.url, data=body, headers=headers, allow_redirects=False
    ) as response:
        if 200 <= response.status < 300:
            return Answer()
        said = (await response.content.read(2048)).decode(errors="replace")
        words = " ".join(address.scrub(said).split())[:_MOST_WORDS]
        again = response.status >= 500 or response.status in _AGAIN
        wait = _seconds(response.headers.get("Retry-After", ""))
        return Answer(f"HTTP {response.status} {words}".strip(), again, wait)


def _seconds(text: str) -> float:
    """A date instead of a number is taken for none: our own pauses hold then."""
    number = float(text) if text.isascii() and text.isdigit() else 0.0
    return min(number, LONGEST_WAIT)
