"""The simulated Swarm that scripts are played against: of the size of the real one."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from monitor.simulate.clock import VirtualClock
from monitor.simulate.executor import Behaviour
from monitor.simulate.http.server import serve_engines
from monitor.simulate.swarm import Swarm

_QUICK = Behaviour(pull=0.02, start=0.1, stop=0.1)
_MISSING = Behaviour(pull=0.02, missing=True)


@asynccontextmanager
async def simulated() -> AsyncIterator[str]:
    """m1 (manager) and w1 (worker), on real time; gives the URL of m1's engine."""
    now = asyncio.get_running_loop().time()
    swarm = Swarm(VirtualClock(start_wall=time.time() - now), reaction=0.02)
    swarm.behaviours |= dict.fromkeys(("work:1", "work:2"), _QUICK)
    swarm.behaviours |= dict.fromkeys(("nosuch:1", "nosuch:2"), _MISSING)
    manager = swarm.add_node("m1", "manager")
    swarm.add_node("w1")
    with tempfile.TemporaryDirectory(prefix="sim-") as folder:
        socket = Path(folder) / "m1.sock"
        async with serve_engines(swarm, {manager: socket}):
            try:
                yield f"unix://{socket}"
            finally:
                swarm.close()
                await asyncio.sleep(0)
