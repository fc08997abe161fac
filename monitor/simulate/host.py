"""A simulated Swarm as a process has it: a scenario on the running loop, behind sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from monitor.ports.clock import Clock
from monitor.simulate.http.loads import serve_loads
from monitor.simulate.http.server import serve_engines
from monitor.simulate.scenario.load import Loaded
from monitor.simulate.scenario.stage import Stage
from monitor.simulate.swarm import Swarm


@asynccontextmanager
async def living(
    loaded: Loaded, clock: Clock, *, nodes: int | None = None
) -> AsyncIterator[tuple[Swarm, Stage]]:
    """The scenario's Swarm, to which happens what shall until the block ends."""
    assert loaded.scenario is not None, "load_scenario found problems"
    swarm = Swarm(clock, seed=loaded.scenario.seed)
    stage = Stage(swarm, loaded.scenario, path=loaded.path, nodes=nodes)
    happening = asyncio.create_task(stage.run(), name="scenario")
    try:
        yield swarm, stage
    finally:
        happening.cancel()
        swarm.close()


async def host(
    loaded: Loaded,
    clock: Clock,
    socket: Path,
    *,
    nodes: int | None = None,
    folder: Path | None = None,
    whole: bool = False,
    loads: tuple[str, int] | None = None,
    stop: asyncio.Event,
    started: Callable[[dict[str, Path]], None] = lambda _: None,
) -> None:
    """Serves the first manager's engine on `socket` until `stop` is set; raises CannotServe.

    folder: where every node's engine gets a socket of its own, `NAME.sock`. started: is told
    the sockets by the nodes' names. whole: see `serve_engines`. loads: host and port where
    `serve_loads` tells how requests fare.
    """
    async with living(loaded, clock, nodes=nodes) as (swarm, stage):
        first = next(iter(stage.nodes))
        own = {first: socket}
        async with AsyncExitStack() as stack:
            engines = serve_engines(swarm, {stage.nodes[first]: socket}, whole=whole)
            await stack.enter_async_context(engines)
            if folder is not None:
                own = {name: folder / f"{name}.sock" for name in stage.nodes}
                sockets = {stage.nodes[name]: own[name] for name in own}
                await stack.enter_async_context(serve_engines(swarm, sockets))
            if loads is not None:
                await stack.enter_async_context(serve_loads(swarm, *loads))
            started(own)
            await stop.wait()
