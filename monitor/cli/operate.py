"""The commands `pause`, `resume`, `rollback` and `explain`, as typer reads them."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.client import DEFAULT_AGENT
from monitor.cli.explain import run_explain
from monitor.cli.options import AgentUrl, AsJson, TokenFile
from monitor.cli.pause import Target, run_pause, run_resume
from monitor.cli.rollback import run_rollback, run_unpark

_Name = Annotated[
    str | None,
    typer.Argument(metavar="SERVICE|RULE", help="A service or a rule.", show_default=False),
]
_Service = Annotated[
    str | None, typer.Option("--service", metavar="NAME", help="A service.", show_default=False)
]
_Rule = Annotated[
    str | None, typer.Option("--rule", metavar="NAME", help="A rule.", show_default=False)
]
_All = Annotated[bool, typer.Option("--all", help="Everything.")]


def pause(  # noqa: PLR0917  # each is an option of the command
    name: _Name = None,
    service: _Service = None,
    rule: _Rule = None,
    everything: _All = False,
    for_: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="DURATION",
            help="How long, such as 30m or 2h; without it until resumed. It ends with "
            "the agent as well.",
            show_default=False,
        ),
    ] = None,
    note: Annotated[str, typer.Option(help="Why, for those who wonder.", show_default=False)] = "",
    agent: AgentUrl = DEFAULT_AGENT,
    token_file: TokenFile = None,
) -> None:
    """Hands off a service, a rule or everything: decisions go on, nothing is written."""
    target = Target(name=name, service=service, rule=rule, everything=everything)
    raise typer.Exit(run_pause(agent, target, for_=for_, note=note, token_file=token_file))


def resume(  # noqa: PLR0917  # each is an option of the command
    name: _Name = None,
    service: _Service = None,
    rule: _Rule = None,
    everything: _All = False,
    agent: AgentUrl = DEFAULT_AGENT,
    token_file: TokenFile = None,
) -> None:
    """End a pause. Each one ends on its own: --all ends the pause of everything alone."""
    target = Target(name=name, service=service, rule=rule, everything=everything)
    raise typer.Exit(run_resume(agent, target, token_file=token_file))


def rollback(
    service: Annotated[str, typer.Argument(help="The service's name.")],
    agent: AgentUrl = DEFAULT_AGENT,
    token_file: TokenFile = None,
) -> None:
    """Put a service back to what it was before its last deploy; its replica count stays.

    `docker service rollback` undoes the last write instead, which may have been a scale.
    """
    raise typer.Exit(run_rollback(agent, service, token_file=token_file))


def unpark(
    service: Annotated[str, typer.Argument(help="The service's name.")],
    agent: AgentUrl = DEFAULT_AGENT,
    token_file: TokenFile = None,
) -> None:
    """Give a service that a rule parked the replicas back that it had."""
    raise typer.Exit(run_unpark(agent, service, token_file=token_file))


def explain(  # noqa: PLR0917  # each is an option of the command
    rules: Annotated[Path, typer.Argument(metavar="RULES", help="A rule file or a folder.")],
    service: Annotated[str, typer.Argument(help="The service's name.")],
    rule: Annotated[
        str | None,
        typer.Option(
            help="Which rule, where several are about it; else the first that scales.",
            show_default=False,
        ),
    ] = None,
    agent: AgentUrl = DEFAULT_AGENT,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Say what rule files would decide on a service now, without acting.

    The agent needs to be shown the token where the rule names servers of its own.
    """
    raise typer.Exit(
        run_explain(agent, [rules], service, rule=rule, token_file=token_file, as_json=as_json)
    )
