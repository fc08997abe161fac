"""The one HTTP session behind all sources."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from monitor.sources.fetch import Answer, Fetch, Request, fetch

_CONNECTIONS = 100


@asynccontextmanager
async def http_fetch() -> AsyncIterator[Fetch]:
    """Keeps no cookies, trusts no proxy settings, and has no deadlines but each request's."""
    connector = aiohttp.TCPConnector(limit=_CONNECTIONS, ttl_dns_cache=30)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
    ) as session:

        async def ask(request: Request) -> Answer:
            return await fetch(session, request)

        yield ask
