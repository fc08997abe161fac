"""`simulate`: a Swarm in one process, behind the Engine API on a Unix socket."""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from monitor.agent.clock import SystemClock
from monitor.simulate.clock import VirtualClock
from monitor.simulate.host import host
from monitor.simulate.http.server import CannotServe
from monitor.simulate.pace import run_paced
from monitor.simulate.scenario.load import Loaded, load_scenario
from monitor.simulate.scenario.models import MOST_NODES
from monitor.web.server import parse_address

Nodes = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MOST_NODES,
        help="So many nodes, in place of the scenario's: three managers from five on, else one.",
        show_default=False,
    ),
]
ScenarioFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Nodes, services, their load and what happens to them (YAML). Without it: a small "
        "shop on five nodes.",
        show_default=False,
    ),
]
Speed = Annotated[
    float, typer.Option(min=0.1, max=100.0, help="How many times faster than in reality.")
]
Seconds = Annotated[
    float | None,
    typer.Option("--for", min=0.1, help="End by itself after so many seconds.", show_default=False),
]

Loads = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Where to tell how services that serve requests fare: /loads/NAME for `http` metrics "
        "of rules, /metrics for a Prometheus server.",
        show_default=False,
    ),
]


def simulate(  # noqa: PLR0917  # each is an option of the command
    socket: Annotated[
        Path, typer.Option(metavar="PATH", help="Where the first manager's engine listens.")
    ],
    nodes: Nodes = None,
    scenario: ScenarioFile = None,
    engines: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A folder in which every node's engine gets a socket of its own, NAME.sock.",
            show_default=False,
        ),
    ] = None,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole",
            help="The engine at PATH shows the containers of all nodes, so that one agent alone "
            "knows what every task uses.",
        ),
    ] = False,
    loads: Loads = None,
    speed: Speed = 1.0,
    seconds: Seconds = None,
) -> None:
    """Simulate a Swarm behind the Engine API, for the agent and the docker client. Needs no root.

    swarm-monitor simulate --socket /tmp/swarm.sock
    docker -H unix:///tmp/swarm.sock service ls
    """
    loaded = load_scenario(scenario)
    if loaded.scenario is None:
        raise typer.Exit(refuse(loaded))
    raise typer.Exit(
        run_paced(
            _simulate(
                loaded,
                socket.absolute(),
                nodes=nodes,
                folder=engines,
                whole=whole,
                loads=loads_address(loads),
                seconds=seconds,
                speed=speed,
            ),
            speed,
        )
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
