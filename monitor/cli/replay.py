"""`replay`: its options. What rules would have made of a recorded load."""

from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.cli.options import AsJson
from monitor.rulefile import units


def _parsed(read: Any, what: str) -> Any:
    def parse(text: str) -> float:
        try:
            return float(read(text))
        except ValueError as error:
            raise typer.BadParameter(f"{what} {error}") from None

    return parse


def replay(  # noqa: PLR0917  # each is an option of the command
    rules: Annotated[Path, typer.Argument(metavar="RULES", help="A rule file, or a folder.")],
    trace: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="The load: CSV with lines time,value, or what Prometheus answers to query_range; "
            "either may be packed by gzip.",
        ),
    ],
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULES|NAME|hpa",
            help="For comparison: other rules, another rule of the same file, or `hpa`: a "
            "HorizontalPodAutoscaler with its defaults and the same targets. May be given again.",
        ),
    ] = None,
    rule: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which rule, if there are several.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Which of several values; more are added up."),
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Leave out what was earlier.")
    ] = None,
    lasting: Annotated[
        float | None,
        typer.Option(
            "--for",
            parser=_parsed(units.seconds, "--for"),
            metavar="DURATION",
            help="So much of it, such as 7d.",
        ),
    ] = None,
    per_replica: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="What one replica serves with all of its CPU, in the trace's unit. Without it "
            "the rule's maximum just carries the peak at its target.",
        ),
    ] = None,
    cpu: Annotated[
        float, typer.Option(min=0.001, metavar="CORES", help="A replica's limit and reservation.")
    ] = 1.0,
    memory: Annotated[
        float | None,
        typer.Option(
            parser=_parsed(units.size, "--memory"), metavar="SIZE", help="What each task uses."
        ),
    ] = None,
    start_time: Annotated[
        float,
        typer.Option(
            parser=_parsed(units.seconds, "--start-time"),
            metavar="DURATION",
            help="From a write until a new task runs.",
        ),
    ] = "10s",  # type: ignore[assignment]  # parsed as if it were written
    initial: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Replicas at the start; default: what is ideal."),
    ] = None,
    good_until: Annotated[
        float,
        typer.Option(
            parser=_parsed(units.share, "--good-until"),
            metavar="SHARE",
            help="Up to which share of its CPU a replica serves well: the ideal's measure.",
        ),
    ] = "80%",  # type: ignore[assignment]
    queue: Annotated[
        float,
        typer.Option(
            parser=_parsed(units.seconds, "--queue"),
            metavar="DURATION",
            help="How much work of the replicas may wait; what comes on top is refused.",
        ),
    ] = "30s",  # type: ignore[assignment]
    report: Annotated[
        Path,
        typer.Option(metavar="FILE.html", help="Where the page with charts goes; - for nowhere."),
    ] = Path("replay.html"),
    as_json: AsJson = False,
) -> None:
    """Replay a recorded load on a service that rules scale, in virtual time, and score them.

    swarm-monitor replay rules/scale-cpu.yml --trace load.csv --against hpa
    """
    # The agent runs from the same command line, and holds nothing of what replays.
    from monitor.cli.replay_run import Given, run_replay  # noqa: PLC0415

    given = Given(
        rules=rules,
        trace=trace,
        against=against or (),
        rule=rule,
        columns=column or (),
        begin=begin,
        lasting=lasting,
        per_replica=per_replica,
        cpu=cpu,
        memory=memory,
        start_time=start_time,
        initial=initial,
        good_until=good_until,
        queue=queue,
    )
    raise typer.Exit(run_replay(given, page=report, json_wanted=as_json))
