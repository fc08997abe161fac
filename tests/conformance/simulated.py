"""The simulated Swarm as a side of the suite: behind its sockets, on virtual time."""

from __future__ import annotations

import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from monitor.simulate.executor import Behaviour
from monitor.simulate.http.server import serve_engines
from monitor.simulate.loop import VirtualTimeStopped, run_virtual
from monitor.simulate.swarm import Swarm
from tests.conformance import recorded
from tests.conformance.client import Client
from tests.conformance.play import Play, Scenario, Transcript
from tests.conformance.world import (
    AILING,
    CRASH,
    DONE,
    MANAGERS,
    MISSING,
    NODES,
    SICK,
    STEADY,
    STEADY_2,
    Tapes,
)

_QUICK = Behaviour(pull=0.05, start=0.3, stop=0.1)
_LIMIT = 3600.0  # virtual seconds
_BEHAVIOURS = {
    STEADY: _QUICK,
    STEADY_2: _QUICK,
    CRASH: replace(_QUICK, exit_after=0.05, exit_code=1),
    DONE: replace(_QUICK, exit_after=0.05, exit_code=0),
    AILING: replace(_QUICK, unhealthy_after=0.6, stop_code=143),
    SICK: replace(_QUICK, unhealthy_after=0.2, stop_code=143),
    MISSING: Behaviour(missing=True),
}


class SimulatedWorld:
    """`monitor.simulate.swarm.Swarm` of NODES."""

    def __init__(self, swarm: Swarm, folder: Path) -> None:
        self.swarm = swarm
        self.clients = {name: Client(folder / f"{name}.sock") for name in NODES}
        self._ids = {
            name: swarm.add_node(name, "manager" if name in MANAGERS else "worker")
            for name in NODES
        }
        self.sockets = {self._ids[name]: folder / f"{name}.sock" for name in NODES}

    async def lose(self, node: str) -> None:
        self.swarm.crash_node(self._ids[node])

    async def bring_back(self, node: str) -> None:
        self.swarm.node_ready(self._ids[node])


async def _play(scenario: Scenario) -> Transcript:
    swarm = Swarm()
    swarm.behaviours.update(_BEHAVIOURS)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="conform-"))
        world = SimulatedWorld(swarm, Path(folder))
        await stack.enter_async_context(serve_engines(swarm, world.sockets))
        stack.callback(swarm.close)
        tapes = await stack.enter_async_context(Tapes().running(world.clients))
        play = Play(world, tapes)
        await play.learn_nodes()
        await scenario.play(play)
        return play.transcript


def difference(scenario: Scenario) -> str:
    """What the model does otherwise than the real Swarm that was recorded; "" where nothing."""
    try:
        seen = run_virtual(_play(scenario), limit=_LIMIT)
    except (AssertionError, VirtualTimeStopped) as error:
        return f"{type(error).__name__}: {error}"
    return recorded.differences(scenario.name, seen, "simulated")
