"""A simulated Swarm as a process has it: a scenario on the running loop, behind sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from monitor.ports.clock import Clock
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
    stop: asyncio.Event,
    started: Callable[[dict[str, Path]], None] = lambda _: None,
) -> None:
    """Serves the first manager's engine on `socket` until `stop` is set; raises CannotServe.

    folder: where every node's engine gets a socket of its own, `NAME.sock`. started: is told
    the sockets by the nodes' names. whole: see `serve_engines`.
    """
    async with living(loaded, clock, nodes=nodes) as (swarm, stage):
        first = next(iter(stage.nodes))
        async with serve_engines(swarm, {stage.nodes[first]: socket}, whole=whole):
            if folder is None:
                started({first: socket})
                await stop.wait()
                return
            own = {name: folder / f"{name}.sock" for name in stage.nodes}
            async with serve_engines(swarm, {stage.nodes[name]: own[name] for name in own}):
                started(own)
                await stop.wait()
