"""`simulate`: a Swarm in one process, behind the Engine API on a Unix socket."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.simulate.limits import MOST_NODES

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
    # Only here: what the simulation needs is of no use to `run`, which would hold it for good.
    from monitor.cli.simulate_run import run_simulate  # noqa: PLC0415

    raise typer.Exit(
        run_simulate(
            socket,
            nodes=nodes,
            scenario=scenario,
            folder=engines,
            whole=whole,
            loads=loads,
            speed=speed,
            seconds=seconds,
        )
    )
