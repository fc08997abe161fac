"""A small simulated Swarm behind sockets, on real time."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from monitor.simulate.clock import VirtualClock
from monitor.simulate.executor import Behaviour
from monitor.simulate.http.server import serve_engines
from monitor.simulate.swarm import Swarm

QUICK = Behaviour(pull=0.01, start=0.05, stop=0.01)
IMAGES = ("app:1", "app:2", "web:1", "web:2", "nginx:1")


@dataclass
class Scene:
    swarm: Swarm
    folder: Path

    def url(self, node: str = "m1") -> str:
        return f"unix://{self.folder / node}.sock"

    def node_id(self, name: str = "m1") -> str:
        return next(node.id for node in self.swarm.store.nodes.values() if node.name == name)

    async def ask(
        self, method: str, path: str, body: Any = None, *, node: str = "m1", **params: str
    ) -> tuple[int, Any]:
        """Status and JSON (or text) of one request."""
        connector = aiohttp.UnixConnector(str(self.folder / f"{node}.sock"))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(method, f"http://engine{path}", params=params, json=body) as answer,
        ):
            text = await answer.text()
            return answer.status, json.loads(text) if text[:1] in ("{", "[") else text


@asynccontextmanager
async def served(*, whole: bool = False) -> AsyncIterator[Scene]:
    """m1 (manager), w1 and w2, each behind a socket named after it."""
    now = asyncio.get_running_loop().time()
    swarm = Swarm(VirtualClock(start_wall=time.time() - now), reaction=0.01)
    swarm.behaviours.update(dict.fromkeys(IMAGES, QUICK))
    ids = {"m1": swarm.add_node("m1", "manager", labels={"zone": "a"})}
    for name in ("w1", "w2"):
        ids[name] = swarm.add_node(name)
    with tempfile.TemporaryDirectory(prefix="sim-") as folder:
        sockets = {ids[name]: Path(folder) / f"{name}.sock" for name in ids}
        async with serve_engines(swarm, sockets, whole=whole):
            try:
                yield Scene(swarm, Path(folder))
            finally:
                swarm.close()
                await asyncio.sleep(0)
