"""The Engine API as any client has it: requests and the event stream of one Unix socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

VERSION = "/v1.41"  # both sides speak it: the real engine's newest
_PATIENCE = aiohttp.ClientTimeout(total=60)
_FOR_EVER = aiohttp.ClientTimeout(total=None)


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is parsed JSON, or text where it is none."""

    status: int
    body: Any

    @property
    def message(self) -> str:
        return str(self.body.get("message", "")) if isinstance(self.body, dict) else str(self.body)


class Client:
    """Of the engine behind `socket`. Every request has a connection of its own."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def ask(self, method: str, path: str, body: Any = None, **params: Any) -> Answer:
        """One request; parameters that are no text are sent as JSON (`filters`)."""
        query = {k: v if isinstance(v, str) else json.dumps(v) for k, v in params.items()}
        async with (
            self._session(_PATIENCE) as session,
            session.request(method, f"http://engine{VERSION}{path}", params=query, json=body) as r,
        ):
            text = await r.text()
            return Answer(r.status, json.loads(text) if text[:1] in ("{", "[") else text)

    async def get(self, path: str, **params: Any) -> Any:
        """The body of a GET that has to succeed."""
        answer = await self.ask("GET", path, **params)
        assert answer.status == 200, f"GET {path}: {answer.status} {answer.message}"
        return answer.body

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """What the engine tells from now on, until it is gone (aiohttp.ClientError)."""
        async with (
            self._session(_FOR_EVER) as session,
            session.get(f"http://engine{VERSION}/events") as response,
        ):
            async for line in response.content:
                yield json.loads(line)

    async def past_events(self, since: str, until: str, **filters: list[str]) -> list[Any]:
        """What the engine still knows between two moments, in seconds since the epoch."""
        query = {"since": since, "until": until, "filters": json.dumps(filters)}
        async with (
            self._session(_PATIENCE) as session,
            session.get(f"http://engine{VERSION}/events", params=query) as response,
        ):
            assert response.status == 200, await response.text()
            return [json.loads(line) async for line in response.content]

    @asynccontextmanager
    async def _session(
        self, timeout: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientSession]:
        connector = aiohttp.UnixConnector(str(self._socket), force_close=True)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            yield session
