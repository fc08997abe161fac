"""`replay`: what rules would have made of a recorded load."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor import __version__
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
from monitor.rulefile.load import load

HPA = "hpa"
NOWHERE = Path("-")


class CannotReplay(Exception):
    """`str()` says why, in a sentence or in lines of problems."""


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
