"""Promise 9: what was done before counts, whoever did it and whatever became of it since."""

from collections import defaultdict

from monitor.control.by_hand import BY_HAND
from monitor.fleet.lease_labels import CONFIG
from monitor.model.action import Park, Unpark
from tests.simulated.dst.ailing import BY_RULE
from tests.simulated.dst.history import Arrived, Paused, Sent, TookOver
from tests.simulated.dst.judging import Case, Verdict, in_turn
from tests.simulated.dst.rule_files import BACKOFF, BUDGET, COOLDOWN

DOWN_COOLDOWN = 15.0
"""Seconds, the default of scale_down."""

LATE = 1.0
"""Seconds by which a decision may count from another moment than the write's arrival: the agent
counts from when it sent it, as long as the answer did not come late."""

LOOKED_ON = 20.0
"""Seconds in touch with its engine after which an agent knows by its own clock what was when."""

HOUR = 3600.0
TAKES_OVER = 5.0
"""Seconds in which a pause reaches an agent that begins to act: it must have read the state."""


def survives(case: Case) -> Verdict:
    verdict = Verdict(9)
    for service, writes in case.applied_by_service.items():
        scales = [one for one in writes if _steps(case, one)]
        for before, after in in_turn(scales):
            _cooldown(case, verdict, service, before, after)
        restarts = [
            one for one in writes if one.forced and (case.rule_of(one), one.service) not in BY_RULE
        ]
        for before, after in in_turn(restarts):
            if not forgotten(case, before.at, after.at):
                gap = after.at - before.at
                text = f"{after.decision} {gap:.1f} s after the last restart of {service}"
                verdict.check(gap >= BACKOFF - LATE, after.at, text)
        for one in restarts[BUDGET:]:
            since = [other for other in restarts if one.at - HOUR < other.at <= one.at]
            if not forgotten(case, since[0].at, one.at):
                text = f"{one.decision}, the {len(since)}th restart of {service} within an hour"
                verdict.check(len(since) <= BUDGET, one.at, text)
    _pauses(case, verdict)
    _zeros(case, verdict)
    return verdict


def _steps(case: Case, write: Arrived) -> bool:
    return not write.forced and not isinstance(case.action_of(write), Park | Unpark)


def forgotten(case: Case, since: float, until: float) -> bool:
    """Whether somebody removed what must survive: where no agent remembers it, it is gone.

    Or an agent took over that had not looked on for long enough, among nodes whose wall clocks
    were set: then nothing is left that could tell it how long ago something was.
    """
    if any(since <= one.at <= until and one.name != CONFIG for one in case.removals):
        return True
    return any(
        since <= one.at <= until and one.clocks and one.touch < LOOKED_ON
        for one in case.history.of(TookOver)
    )


def _cooldown(case: Case, verdict: Verdict, service: str, before: Arrived, after: Arrived) -> None:
    """Counted from decision to decision at the latest; both may be on the way for a while."""
    up = after.replicas[1] > after.replicas[0]
    decision = case.decided(after)
    wait = COOLDOWN if service == "api" else 0.0 if up else DOWN_COOLDOWN
    if not wait or decision is None or decision.reason in ("below_min", "above_max"):
        return
    if forgotten(case, before.at, after.at):
        return
    gap = after.at - before.at
    text = f"{after.decision} {gap:.1f} s after the last step of {service}, not {wait:g} s"
    verdict.check(gap >= wait - LATE, after.at, text)


def _pauses(case: Case, verdict: Verdict) -> None:
    paused: dict[tuple[str, str], list[Paused]] = defaultdict(list)
    for one in case.history.of(Paused):
        paused[one.scope, one.name].append(one)
    for sent in case.sent:
        rule = case.rule_of(sent)
        if rule == BY_HAND:
            continue  # a pause holds rules back, and no person
        for what in (("service", sent.service), ("rule", rule), ("all", "")):
            said = [one for one in paused[what] if one.at <= sent.at]
            if said:
                _paused(case, verdict, sent, said[-1])


def _paused(case: Case, verdict: Verdict, sent: Sent, newest: Paused) -> None:
    held = newest.at < sent.at < newest.at + newest.seconds - LATE
    wrong = held and not forgotten(case, newest.at, sent.at)
    text = f"{sent.decision} while {newest.scope} {newest.name} is paused since {newest.at:.1f}"
    verdict.check(not wrong, sent.at, text)


def _zeros(case: Case, verdict: Verdict) -> None:
    """A person's zero means hands off, whoever acts by now."""
    for one in case.applied:
        if not one.forced and one.mode == "Replicated":
            before, after = one.replicas
            if isinstance(case.action_of(one), Unpark):
                continue  # that is a person's own doing
            text = f"{one.decision} woke {one.service}, which a person had put to sleep"
            verdict.check(before > 0 or after == 0, one.at, text)
