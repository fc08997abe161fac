"""Promise 5: steps are taken on numbers that are there, new and whole.

Two ways to see it. What an agent could have heard: no step down while nodes with tasks of the
service were silent, the server of numbers gave none, or the agent began too lately. And what is
true: the load that the service really had tells which steps nothing ever asked for, whatever made
the agent believe otherwise, be it a zero in place of a missing sample or a node taken for down.
"""

import math

from monitor.decide.history import ABSENT
from monitor.model.action import ScaleTo
from monitor.model.decision import Decision
from monitor.model.reason import Reason
from tests.simulated.dst import judge_nodes, judge_restarts
from tests.simulated.dst.history import Hasty, Misjudged, Sent
from tests.simulated.dst.judging import Case, Verdict
from tests.simulated.dst.rule_files import HIGH, INTERVAL, LOW, TIMEOUT, WINDOW

UNHEARD_FOR = 5.0 + 5.0 + 5.0
"""Seconds after which a silent node's sample counts no more: a reading from the stats API is the
present for 5 s, old 5 s later, and the decision may be 5 s older than its write."""

LAST_NUMBER = 2 * INTERVAL + TIMEOUT + 5.0 + 1.0
"""Seconds for which the last good number counts; the decision may be 5 s old."""

SEEN_LATE = 25.0
"""Seconds in which a change of the load reaches every mean, and every task has its share."""

EVALUATED = ABSENT + 2.0
"""Seconds from one evaluation to the next at most of an agent that counts as having looked on."""

SPARE = 0.75
"""Tasks that just began or end, and what is rounded: a step is wrong beyond that alone."""

BY_BOUNDS = frozenset({Reason.BELOW_MIN, Reason.ABOVE_MAX})


def numbers(case: Case) -> Verdict:
    verdict = Verdict(5)
    for one in case.sent:
        decision = case.decided(one)
        if decision is None or not isinstance(decision.action, ScaleTo):
            continue
        if decision.action_name == "scale_down" and (decision.current or 0) <= HIGH:
            if decision.reason not in BY_BOUNDS:
                _down(case, verdict, one, decision, decision.action.replicas)
        elif decision.action_name == "scale_up":
            _up(case, verdict, one, decision.action.replicas)
    for left_out in case.history.of(Misjudged):
        verdict.check(False, left_out.at, f"{left_out.decision} counts {left_out.what}")
    for hasty in case.history.of(Hasty):
        verdict.check(False, hasty.at, f"{hasty.decision} {hasty.what}")
    judge_restarts.grounds(case, verdict)
    judge_nodes.grounds(case, verdict)
    return verdict


def _down(case: Case, verdict: Verdict, one: Sent, decision: Decision, replicas: int) -> None:
    what = f"{one.service} from {decision.current} to {replicas} ({one.decision})"
    if one.service == "jobs":
        modes = case.modes(one.at - LAST_NUMBER, one.at)
        verdict.check("" in modes, one.at, f"{what}, though numbers were {modes}")
    else:
        text = f"{what}, though nodes were not heard for {one.unheard:.1f} s"
        verdict.check(one.unheard <= UNHEARD_FOR, one.at, text)
    lived = one.at - case.began.get(one.process, 0.0)
    text = f"{what} by an agent that lives for {lived:.1f} s"
    verdict.check(lived >= WINDOW, one.at, text)
    least = min(case.wanted(one.service, one.at - WINDOW - SEEN_LATE, one.at), default=0.0)
    text = f"{what}, though the load never asked for less than {least:g}"
    verdict.check(replicas >= min(least, HIGH) * SPARE - 0.5, one.at, text)
    lately = _lately(case, one.service, decision)
    text = f"{what}, though for long it asked for {lately:g} within the window"
    verdict.check(replicas >= lately * SPARE - 0.5, one.at, text)


def _lately(case: Case, service: str, decision: Decision) -> float:
    """What the load asked for at some moment within the window, for so long before it that it was
    seen; of that no more than the replicas it had: what is missing uses nothing."""
    now, most = decision.time.mono, 0.0
    for ago in range(int(WINDOW - EVALUATED)):
        since, until = now - ago - SEEN_LATE, now - ago
        asked = case.wanted(service, since, until)
        had = case.replicas_of(decision.service_id, since, until)
        most = max(most, min([*asked, *had, HIGH], default=0.0))
    return most


def _up(case: Case, verdict: Verdict, one: Sent, replicas: int) -> None:
    most = max(case.wanted(one.service, one.at - SEEN_LATE, one.at), default=0.0)
    enough = max(math.ceil(most / SPARE) + 1, LOW)
    text = f"{one.service} up to {replicas}, though the load never asked for more than {most:g}"
    verdict.check(replicas <= enough, one.at, f"{text} ({one.decision})")
