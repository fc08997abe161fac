"""What a side of the suite has to offer: five nodes, known images, and ways to harm a node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import aiohttp

from tests.conformance.client import Client

MANAGERS = ("m1", "m2", "m3")
WORKERS = ("w1", "w2")
NODES = MANAGERS + WORKERS

STEADY, STEADY_2 = "steady:1", "steady:2"  # run until told to stop, and stop at once
CRASH = "crash:1"  # ends with 1 soon after its start
DONE = "done:1"  # ends with 0 soon after its start
AILING = "ailing:1"  # is healthy at first, and not for long; ends with 143 when it is told to stop
SICK = "sick:1"  # never is healthy; likewise
MISSING = "missing:1"  # is nowhere


class World(Protocol):
    """A Swarm of NODES with clients for each, m1 leading it."""

    clients: dict[str, Client]

    async def lose(self, node: str) -> None:
        """Crash the node's machine."""

    async def bring_back(self, node: str) -> None:
        """Start it again."""


class Tapes:
    """What every engine told, in its order, since the tapes began to run."""

    def __init__(self) -> None:
        self.told: dict[str, list[dict[str, Any]]] = {name: [] for name in NODES}

    @asynccontextmanager
    async def running(self, clients: dict[str, Client]) -> AsyncIterator[Tapes]:
        tasks = [asyncio.create_task(self._read(name, one)) for name, one in clients.items()]
        await asyncio.sleep(0.5)  # until the engines have the subscriptions
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, name: str, client: Client) -> None:
        while True:
            with suppress(aiohttp.ClientError, ConnectionError):
                async for event in client.events():
                    self.told[name].append(event)
            await asyncio.sleep(0.2)

    def of(self, names: Sequence[str], type_: str, key: str, value: str) -> list[dict[str, Any]]:
        """Events of a type whose attribute `key` has that value."""
        return [
            event
            for name in names
            for event in self.told[name]
            if event["Type"] == type_ and event["Actor"]["Attributes"].get(key) == value
        ]
