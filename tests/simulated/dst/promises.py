"""The twelve promises, each judged on the history of a run and on nothing else.

A checker takes the indexed history and returns a verdict: what broke the promise, and how often
it had to hold at all. One that never had to hold has shown nothing.
"""

from collections.abc import Callable

from tests.simulated.dst import (
    judge_fleet,
    judge_nodes,
    judge_numbers,
    judge_restarts,
    judge_shown,
    judge_survival,
    judge_writes,
)
from tests.simulated.dst.history import History, Rested
from tests.simulated.dst.judging import Case, Verdict, Violation

Checker = Callable[[Case], Verdict]

RECOVERY = 0
"""Beside the twelve: once nothing goes wrong any more all is as it should be again."""


def survives(case: Case) -> Verdict:
    """9."""
    verdict = judge_survival.survives(case)
    for part in (judge_restarts.paced, judge_restarts.at_once):
        part(case, verdict)
    for part in (judge_restarts.breakers, judge_restarts.parked, judge_nodes.drains):
        part(case, verdict)
    return verdict


PROMISES: dict[int, tuple[str, Checker]] = {
    1: ("replicas within the bounds and rates in force", judge_writes.bounds),
    2: ("one write per decision, on its version", judge_writes.one_write),
    3: ("no write during or right before a rollout", judge_writes.rollouts),
    4: ("nothing but the one field differs", judge_writes.one_field),
    5: ("no step down on missing, stale or partial data", judge_numbers.numbers),
    6: ("one actor, and no write without its lease", judge_fleet.one_actor),
    7: ("a lost event is repaired within one re-list", judge_shown.repaired),
    8: ("bad rules replace no good ones; who differs does not act", judge_fleet.rules),
    9: ("no cooldown, budget or pause is lost by a restart", survives),
    10: ("/metrics answers, and old is not passed off as new", judge_shown.metrics),
    11: ("every decision has a reason", judge_shown.reasons),
    12: ("stops within 10 s and gives up the lease", judge_fleet.stops),
}


def judge(history: History) -> list[Verdict]:
    """In the order of the promises, that of recovery last."""
    case = Case(history)
    return [*(check(case) for _, check in PROMISES.values()), recovery(case)]


def recovery(case: Case) -> Verdict:
    verdict = Verdict(RECOVERY)
    for one in case.history.of(Rested):
        verdict.check(one.took is not None, one.at, f"not as it should be: {one.why}")
    return verdict


def violations(history: History) -> list[Violation]:
    """By time."""
    found = [one for verdict in judge(history) for one in verdict.violations]
    return sorted(found, key=lambda one: one.at)
