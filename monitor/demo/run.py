"""Puts Swarm, samplers, agent and display together for as long as the demo lasts."""

import asyncio
import errno
import os
import socket
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import monitor
from monitor.agent.agent import Agent
from monitor.agent.settings import Settings
from monitor.demo.everywhere import SamplersEverywhere
from monitor.demo.show import Display
from monitor.demo.watch import Watch
from monitor.ports.clock import Clock
from monitor.simulate.host import living
from monitor.simulate.http.loads import serve_loads
from monitor.simulate.http.server import serve_engines
from monitor.simulate.scenario.load import Loaded
from monitor.simulate.swarm import Swarm
from monitor.web.server import USUAL_PORT, CannotListen

Opener = Callable[[str, Path], Display]
"""Makes the display; is told the page's URL and the simulated engine's socket."""

TOKEN = "demo"  # noqa: S105  (guards a simulated Swarm on this machine's own address)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """port: of page and API; None: 9580 where it is free, else any. speed: see `run_paced`.
    loads: host and port of `serve_loads`; None: it is not told.

    seconds: of real time until it ends by itself; None: when it is told to.
    """

    loaded: Loaded
    rules: tuple[Path, ...]
    nodes: int | None = None
    port: int | None = None
    loads: tuple[str, int] | None = None
    speed: float = 1.0
    seconds: float | None = None


def shipped_rules() -> Path:
    """The folder of the rules that come with the package, or with the checkout."""
    package = Path(monitor.__file__).parent
    packed = package / "shipped_rules"
    return packed if packed.is_dir() else package.parent / "rules"


async def run_demo(options: DemoOptions, clock: Clock, stop: asyncio.Event, opener: Opener) -> None:
    """Until `stop` is set or the time is up; raises CannotListen, CannotServe.

    opener: makes the display once the addresses to look at are known.
    """
    if options.seconds is not None:
        asyncio.get_running_loop().call_later(options.seconds * options.speed, stop.set)
    with tempfile.TemporaryDirectory(prefix="swarm-monitor-demo-") as folder:
        async with living(options.loaded, clock, nodes=options.nodes) as (swarm, stage):
            first = next(iter(stage.nodes.values()))
            path = Path(folder) / "docker.sock"
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(serve_engines(swarm, {first: path}, whole=True))
                if options.loads is not None:
                    await stack.enter_async_context(serve_loads(swarm, *options.loads))
                show = _Show(swarm, first, options, clock, Path(folder) / "nowhere")
                await show.run(stop, path, opener)


class _Show:
    def __init__(
        self, swarm: Swarm, node_id: str, options: DemoOptions, clock: Clock, nowhere: Path
    ) -> None:
        self._options = options
        self._clock = clock
        engines = [swarm.engine(one) for one in swarm.store.nodes]
        self._samplers = SamplersEverywhere(engines, clock, nowhere)
        self._watch = Watch(swarm)
        self._agent = Agent(
            Settings(
                docker="the simulated engine",
                rules=options.rules,
                host="127.0.0.1",
                port=_port(options.port),
                cgroup_root=nowhere,
                proc_root=nowhere,
                token=TOKEN,
            ),
            swarm.engine(node_id),
            clock,
            boot_id=os.urandom(8).hex(),
            usage=self._samplers,
        )

    async def run(self, stop: asyncio.Event, path: Path, opener: Opener) -> None:
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as group:
            beside = [
                group.create_task(self._samplers.run(), name="samplers"),
                group.create_task(self._tell(port, path, opener), name="display"),
            ]
            await self._agent.run(stop, port.set_result)
            for part in beside:
                part.cancel()

    async def _tell(self, port: asyncio.Future[int], path: Path, opener: Opener) -> None:
        url = f"http://127.0.0.1:{await port}"
        display = opener(url, path)
        try:
            while True:
                rows, news = self._watch.look(self._agent.state.decisions())
                display.show(self._clock.now().mono, rows, news)
                await asyncio.sleep(self._options.speed)  # a second of real time
        finally:
            display.close()


def _port(asked: int | None) -> int:
    """The one asked for, else the usual one, or 0 (any) where that is taken."""
    if asked is None:
        return 0 if _taken(USUAL_PORT) else USUAL_PORT
    if asked and _taken(asked):
        raise CannotListen(
            f"Port {asked} is taken by another program: choose another with --port, or leave it "
            "out, and a free one is found."
        )
    return asked


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False
