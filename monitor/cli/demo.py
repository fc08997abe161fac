"""`demo`: a simulated Swarm, the agent, and what happens, on the terminal."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.simulate import Loads, Nodes, ScenarioFile, Seconds, Speed
from monitor.web.server import USUAL_PORT


def demo(  # noqa: PLR0917  # each is an option of the command
    nodes: Nodes = None,
    scenario: ScenarioFile = None,
    rules: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="Rules in place of the shipped ones. May be given again.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help=f"Of page, API and metrics; without it {USUAL_PORT} where that is free, else any.",
            show_default=False,
        ),
    ] = None,
    loads: Loads = None,
    speed: Speed = 1.0,
    seconds: Seconds = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Lines in place of a picture, on a terminal too.")
    ] = False,
    real: Annotated[
        bool,
        typer.Option(
            "--real", help="On a real Docker Engine of its own: of scripts/demo in a clone alone."
        ),
    ] = False,
) -> None:
    """Show the agent at work on a simulated Swarm, until Ctrl-C. Needs no Docker and no root."""
    if real:
        print(
            "swarm-monitor demo: a real engine is started by what a clone of the repository holds: "
            "run sudo scripts/demo --real there. Without --real a simulated Swarm is shown.",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    # Only here: what the demo needs is of no use to `run`, which would hold it for good.
    from monitor.cli.demo_run import run_the_demo  # noqa: PLC0415

    raise typer.Exit(
        run_the_demo(
            nodes=nodes,
            scenario=scenario,
            rules=rules,
            port=port,
            loads=loads,
            speed=speed,
            seconds=seconds,
            plain=plain,
        )
    )
