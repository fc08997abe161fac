"""What `simulate` does, and what `demo` has in common with it."""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path

import typer

from monitor.agent.clock import SystemClock
from monitor.simulate.clock import VirtualClock
from monitor.simulate.host import host
from monitor.simulate.http.server import CannotServe
from monitor.simulate.pace import run_paced
from monitor.simulate.scenario.load import Loaded, load_scenario
from monitor.web.server import parse_address


def run_simulate(
    socket: Path,
    *,
    nodes: int | None,
    scenario: Path | None,
    folder: Path | None,
    whole: bool,
    loads: str | None,
    speed: float,
    seconds: float | None,
) -> int:
    """Until it is told to end. Exit code 1: a wrong scenario, or nothing can listen."""
    loaded = load_scenario(scenario)
    if loaded.scenario is None:
        return refuse(loaded)
    return run_paced(
        _simulate(
            loaded,
            socket.absolute(),
            nodes=nodes,
            folder=folder,
            whole=whole,
            loads=loads_address(loads),
            seconds=seconds,
            speed=speed,
        ),
        speed,
    )


def refuse(loaded: Loaded) -> int:
    """Prints what is wrong with a scenario; exit code 1."""
    for problem in loaded.problems:
        print(problem, file=sys.stderr)
    return 1


def loads_address(text: str | None) -> tuple[str, int] | None:
    """Host and port, None for none; raises BadParameter."""
    try:
        return None if text is None else parse_address(text)
    except ValueError as error:
        raise typer.BadParameter(f"--loads: {error}") from None


async def _simulate(
    loaded: Loaded,
    socket: Path,
    *,
    nodes: int | None,
    folder: Path | None,
    whole: bool,
    loads: tuple[str, int] | None,
    seconds: float | None,
    speed: float,
) -> int:
    stop = asyncio.Event()
    stop_on_signals(stop)
    if seconds is not None:
        asyncio.get_running_loop().call_later(seconds * speed, stop.set)

    def started(sockets: dict[str, Path]) -> None:
        print(f"a simulated Swarm is up; its first manager listens on unix://{socket}", flush=True)
        if folder is not None:
            print(f"every node's engine has a socket in {folder}: {', '.join(sockets)}")
        print(f"  docker -H unix://{socket} service ls")
        if loads is not None:
            print(f"how requests fare: http://{loads[0]}:{loads[1]}/loads")
        print(f"  swarm-monitor run --docker unix://{socket} --rules rules/", flush=True)

    try:
        await host(
            loaded,
            real_clock(loaded.scenario.seed if loaded.scenario else 0),
            socket,
            nodes=nodes,
            folder=folder,
            whole=whole,
            loads=loads,
            stop=stop,
            started=started,
        )
    except CannotServe as error:
        print(f"swarm-monitor simulate: {error}", file=sys.stderr)
        return 1
    return 0


def real_clock(seed: int) -> VirtualClock:
    """Begins at the present time of day and goes as fast as the running loop."""
    now = SystemClock().now()
    return VirtualClock(start_wall=now.wall - now.mono, seed=seed)


def stop_on_signals(stop: asyncio.Event) -> None:
    """The first SIGTERM or SIGINT ends in order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
