"""A receiver of notifications: an HTTP server that shows what arrives, and answers as it is told.

python -m tests.unit.notify.receiver PORT      prints its port, then what comes
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Arrived:
    path: str
    headers: dict[str, str]
    content: Any


@dataclass
class Receiver:
    """answers: statuses of the next answers (with headers), 200 once there are none left."""

    arrived: list[Arrived] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    port: int = 0

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def take(self, request: web.Request) -> web.Response:
        content = json.loads(await request.read())
        self.arrived.append(Arrived(request.path, dict(request.headers), content))
        status, headers, text = self.answers.pop(0) if self.answers else (200, {}, "ok")
        return web.Response(status=status, headers=headers, text=text)

    @property
    def contents(self) -> list[Any]:
        return [one.content for one in self.arrived]


@asynccontextmanager
async def receiving(port: int = 0) -> AsyncIterator[Receiver]:
    """Listens on the loopback address while the block lasts."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()


async def _show(port: int) -> None:
    shown = 0
    async with receiving(port) as receiver:
        print(receiver.port, flush=True)
        while True:
            await asyncio.sleep(0.2)
            for one in receiver.arrived[shown:]:
                print(json.dumps({"path": one.path, "content": one.content}), flush=True)
            shown = len(receiver.arrived)


if __name__ == "__main__":
    asyncio.run(_show(int(sys.argv[1])))
