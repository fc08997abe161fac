"""`replay`: what rules would have made of a recorded load."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor import __version__
from monitor.cli.options import AsJson
from monitor.cli.show_replay import show_replay
from monitor.model.rule import RuleSet, ScaleRule
from monitor.replay.choose import capacity, check, chosen
from monitor.replay.contender import Contender, by_agent, by_hpa
from monitor.replay.contest import Contest, as_json, hold
from monitor.replay.read import read_trace
from monitor.replay.report import report as write_report
from monitor.replay.terms import Terms
from monitor.replay.times import moment
from monitor.replay.trace import Trace
from monitor.rulefile import units
from monitor.rulefile.load import load

HPA = "hpa"
NOWHERE = Path("-")


class CannotReplay(Exception):
    """`str()` says why, in a sentence or in lines of problems."""


def _parsed(read: Any, what: str) -> Any:
    def parse(text: str) -> float:
        try:
            return float(read(text))
        except ValueError as error:
            raise typer.BadParameter(f"{what} {error}") from None

    return parse


@dataclass(frozen=True, slots=True)
class Given:
    """The options of the command; None where one is left out."""

    rules: Path
    trace: Path
    against: Sequence[str]
    rule: str | None
    columns: Sequence[str]
    begin: str | None
    lasting: float | None
    per_replica: float | None
    cpu: float
    memory: float | None
    start_time: float
    initial: int | None
    good_until: float
    queue: float


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


def run_replay(given: Given, *, page: Path, json_wanted: bool) -> int:
    """Exit code: 0; 1 where a file or an option cannot be used."""
    began = time.perf_counter()
    try:
        contest = contest_of(given)
        _write(page, contest)
    except CannotReplay as error:
        print(f"swarm-monitor replay: {error}", file=sys.stderr)
        return 1
    if json_wanted:
        print(json.dumps(as_json(contest), indent=2, ensure_ascii=False))
    else:
        show_replay(contest)
    took = time.perf_counter() - began
    points = len(contest.trace.times) * len(contest.runs)
    print(f"{points:,} points replayed in {took:.1f} s", file=sys.stderr)
    if page != NOWHERE:
        print(f"charts are in {page}", file=sys.stderr)
    return 0


def _write(page: Path, contest: Contest) -> None:
    if page == NOWHERE:
        return
    try:
        page.write_text(write_report(contest, __version__), encoding="utf-8")
    except OSError as error:
        raise CannotReplay(f"{page} cannot be written: {error.strerror}") from None


def contest_of(given: Given) -> Contest:
    """Raises CannotReplay."""
    try:
        rule = chosen([given.rules], _rules(given.rules), given.rule)
        trace = _trace(given)
        terms, clause = _terms(given, rule, trace)
        contenders = [by_agent(rule), *(_rival(text, given, rule) for text in given.against)]
        for contender in contenders:
            check(contender.rule, terms)
    except ValueError as error:
        raise CannotReplay(str(error)) from None
    return hold(trace, terms, contenders, clause)


def _rules(path: Path) -> RuleSet:
    result = load([path])
    if result.rules is None:
        raise CannotReplay("\n".join(["the rules have problems", *map(str, result.problems)]))
    return result.rules


def _rival(text: str, given: Given, rule: ScaleRule) -> Contender:
    if text == HPA:
        return by_hpa(rule)
    path = Path(text)
    if not path.exists():
        if any(one.name == text for one in _rules(given.rules).rules):
            return by_agent(chosen([given.rules], _rules(given.rules), text))
        raise CannotReplay(f"{text} is no file, and no rule of {given.rules}")
    rules = _rules(path)
    named = any(one.name == rule.name for one in rules.rules)
    found = chosen([path], rules, rule.name if named else None)
    label = found.name if found.name != rule.name else f"{found.name} ({path.name})"
    return by_agent(found, label)


def _trace(given: Given) -> Trace:
    trace = read_trace(given.trace, given.columns)
    if given.begin is None and given.lasting is None:
        return trace
    begin = None if given.begin is None else moment(given.begin)
    return trace.part(begin, given.lasting)


def _terms(given: Given, rule: ScaleRule, trace: Trace) -> tuple[Terms, str]:
    if not trace.peak > 0:
        raise ValueError(f"{trace.name} holds no load: all of its values are 0")
    if not 0 < given.good_until <= 1:
        raise ValueError(f"--good-until must be more than 0% and at most 100%, not "
                         f"{given.good_until:.0%}")  # fmt: skip
    per_replica, clause = given.per_replica, ""
    if per_replica is None:
        per_replica, clause = capacity(rule, trace, given.good_until, given.cpu)
    if not per_replica > 0:
        raise ValueError(f"--per-replica must be more than 0, not {per_replica:g}")
    terms = Terms(
        per_replica=per_replica,
        cpu=given.cpu,
        memory=given.memory,
        start_time=given.start_time,
        good_until=given.good_until,
        queue=given.queue,
        initial=given.initial,
    )
    return terms, clause
