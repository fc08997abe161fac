"""What restart rules did, judged as a part of promises 2, 3, 4, 5 and 9."""

from collections import Counter
from collections.abc import Iterator

from monitor.decide.guards import NEAR_ROLLOUT, SETTLING
from monitor.model.action import ForceUpdate, Park, RestartTask, Unpark
from monitor.model.decision import Decision
from monitor.model.reason import Reason
from tests.simulated.dst.ailing import BY_RULE, Ailing
from tests.simulated.dst.history import (
    Arrived,
    Blamed,
    Decided,
    Ended,
    Halted,
    Kept,
    Rolled,
    Sent,
    Stopped,
    Unparked,
)
from tests.simulated.dst.judge_survival import LATE, forgotten
from tests.simulated.dst.judging import Case, Verdict
from tests.simulated.dst.ward import MOVED

MAX_AGE = 5.0
ON_THE_WAY = 0.5
"""Seconds from the age that a decision may have to the stop at its node's engine."""

RESTING = (None, "completed", "rollback_completed")
CALMED = 12.0
"""Seconds for which a task that leaks no more may still be stopped: the mean, then the decision."""

SEEN_LATE = 35.0 + MAX_AGE
"""Seconds after which it is known at the latest that tasks are spread evenly: after a re-list."""

SETTLED = 10.0
EDGE = 10.0
"""Seconds by which what counts within a time may be older or younger than it seems."""

STORED = 5.0


ACTS = (
    *(
        "tasks stopped",
        "of them ended by it",
        "tasks moved",
        "services restarted",
        "services parked",
    ),
    *("services unparked", "breakers opened", "breakers closed", "held back by the budget"),
    *("held back by the back-off", "left alone near a rollout"),
)


def acts(case: Case) -> Counter[str]:
    """What came of the rules, so that it can be seen that promises had to hold."""
    found: Counter[str] = Counter()
    found["tasks stopped"] = sum(1 for _ in case.history.of(Stopped))
    found["tasks moved"] = sum(one.service in MOVED for one in case.history.of(Stopped))
    found["of them ended by it"] = sum(1 for _ in case.history.of(Halted))
    for write in case.applied:
        ours = (case.rule_of(write), write.service) in BY_RULE
        found["services restarted"] += ours and isinstance(case.action_of(write), ForceUpdate)
        found["services parked"] += isinstance(case.action_of(write), Park)
        found["services unparked"] += isinstance(case.action_of(write), Unpark)
    was: dict[str, bool] = {}
    for kept in case.history.of(Kept):
        found["breakers opened"] += kept.open and not was.get(kept.rule, False)
        found["breakers closed"] += was.get(kept.rule, False) and not kept.open
        was[kept.rule] = kept.open
    for decided in case.history.of(Decided):
        what = _HELD.get(decided.decision.reason)
        decision = decided.decision
        if what and (decision.rule, decision.service_name) in BY_RULE:
            found[what] += 1
    return found


_HELD = {
    Reason.BUDGET: "held back by the budget",
    Reason.BACKOFF: "held back by the back-off",
    Reason.ROLLOUT_IN_PROGRESS: "left alone near a rollout",
}


def named(case: Case, stop: Stopped) -> tuple[Sent, Decision, RestartTask] | None:
    """The decision behind a stop: the newest that was sent to have this very task stopped."""
    for sent in reversed(case.sent):
        decision = case.decided(sent) if sent.at <= stop.at else None
        if decision is None or not isinstance(decision.action, RestartTask):
            continue
        if decision.action.task_id == stop.task:
            return sent, decision, decision.action
    return None


def one_stop(case: Case, verdict: Verdict) -> None:
    """2. A stop for each decision at most, while it is young."""
    times: Counter[str] = Counter()
    for stop in case.history.of(Stopped):
        found = named(case, stop)
        verdict.check(found is not None, stop.at, f"nobody decided to stop {stop.task}")
        if found is None:
            continue
        sent, decision, _ = found
        times[sent.decision] += 1
        text = f"{sent.decision} stopped a container {times[sent.decision]} times"
        verdict.check(times[sent.decision] == 1, stop.at, text)
        age = stop.at - decision.time.mono
        text = f"{sent.decision} was {age:.1f} s old when {stop.task} was stopped"
        verdict.check(age <= MAX_AGE + ON_THE_WAY, stop.at, text)


def no_rollout(case: Case, verdict: Verdict) -> None:
    """3. Neither in one nor near one, by the version that was decided on; that may have been left
    for no longer than the decision is old."""
    for stop in case.history.of(Stopped):
        found = named(case, stop)
        if found is None:
            continue
        sent, decision, _ = found
        if stop.version == decision.version:
            text = f"{stop.task} was stopped during {stop.state}"
            verdict.check(stop.state in RESTING, stop.at, text)
            text = f"{stop.task} was stopped while tasks of {stop.service} run another template"
            verdict.check(not stop.dirty, stop.at, text)
        _long_after(case, verdict, stop, decision, sent)


def _long_after(
    case: Case, verdict: Verdict, stop: Stopped, decision: Decision, sent: Sent
) -> None:
    changes = [
        one.at
        for one in case.arrived
        if one.applied and not one.own and one.service == stop.service and one.changed
    ]
    known = [at for at in changes if at < decision.time.mono]
    late = [at for at in changes if decision.time.mono <= at < stop.at - MAX_AGE - ON_THE_WAY]
    verdict.check(not late, stop.at, f"{stop.task} was stopped long after a change of its service")
    since = stop.at - max(known, default=float("-inf"))
    text = f"{sent.decision} {since:.1f} s after somebody else's change"
    verdict.check(since >= SETTLING, stop.at, text)
    ends = [
        one.at
        for one in case.history.of(Rolled)
        if one.service == stop.service and one.state in RESTING[1:] and one.version <= stop.version
    ]
    if ends and not case.clocks_set and ends[-1] < decision.time.mono:
        since = stop.at - ends[-1]
        text = f"{sent.decision} {since:.1f} s after a rollout"
        verdict.check(since >= NEAR_ROLLOUT - LATE, stop.at, text)


def one_container(case: Case, verdict: Verdict) -> None:
    """4. The container of the task that is named, on its node, and its labels say so."""
    for stop in case.history.of(Stopped):
        found = named(case, stop)
        if found is None:
            verdict.check(False, stop.at, f"{stop.task} was stopped, which no decision names")
            continue
        sent, decision, action = found
        right = (action.task_id, decision.service_id, action.node_id)
        text = f"{sent.decision} names {right}, and what was stopped is {stop.proven}"
        verdict.check(stop.proven == right and stop.node == action.node_id, stop.at, text)
        text = f"{sent.decision} names another container than was stopped"
        verdict.check(stop.container == action.container_id, stop.at, text)


def grounds(case: Case, verdict: Verdict) -> None:
    """5. What is restarted, stopped or parked had in truth what its rule waits for."""
    for stop in case.history.of(Stopped):
        if named(case, stop) is not None:
            old = SEEN_LATE if stop.service in MOVED else CALMED + MAX_AGE
            text = f"{stop.task} of {stop.service} was stopped for nothing, since {stop.since}"
            verdict.check(stop.since is not None and stop.since <= old, stop.at, text)
    for blamed in case.history.of(Blamed):
        text = f"{blamed.process} takes {blamed.task}, which was stopped, for {blamed.cause}"
        verdict.check(False, blamed.at, text)
    halted = {one.task for one in case.history.of(Halted)}
    failed = [
        one
        for one in case.history.of(Ended)
        if one.task not in halted and (one.exit_code or one.oom)
    ]
    for write in case.applied:
        decision = case.decided(write)
        one = BY_RULE.get((decision.rule, decision.service_name)) if decision else None
        if decision is None or one is None or not one.failures:
            continue
        since = decision.time.mono - one.window - EDGE
        seen = [end for end in failed if end.service == one.service and since < end.at <= write.at]
        text = f"{write.decision}, though only {len(seen)} tasks of {one.service} failed"
        verdict.check(len(seen) >= one.failures, write.at, text)


# Promise 9


def paced(case: Case, verdict: Verdict) -> None:
    """Budgets and back-offs of rules about what ails, whoever acted by then."""
    acted = list(_acted(case))
    for (rule, service), one in BY_RULE.items():
        times = [at for name, at in acted if name == (rule, service)]
        for index, at in enumerate(times):
            before = times[:index]
            if before and not forgotten(case, before[0], at):
                _in_pace(verdict, rule, one, before, at)


def _in_pace(verdict: Verdict, rule: str, one: Ailing, before: list[float], at: float) -> None:
    pace = one.pace
    surely = [other for other in before if other > at - pace.within + EDGE]
    text = f"{rule} acted on {one.service} for the {len(surely) + 1}th time in {pace.within:g} s"
    verdict.check(len(surely) < pace.count, at, text)
    wait = min(pace.backoff * 2 ** max(len(surely) - 1, 0), pace.most)
    gap = at - before[-1]
    text = f"{rule} acted on {one.service} {gap:.1f} s after the last time, not {wait:g} s"
    verdict.check(gap >= wait - LATE, at, text)


def _acted(case: Case) -> Iterator[tuple[tuple[str, str], float]]:
    """By the moment at which it was sent; only what took effect."""
    stopped = {found[0].decision for s in case.history.of(Stopped) if (found := named(case, s))}
    written = {one.decision for one in case.applied}
    for sent in case.sent:
        decision = case.decided(sent)
        if decision is None or sent.decision not in stopped | written:
            continue
        if isinstance(decision.action, RestartTask | ForceUpdate | Park):
            yield (decision.rule, decision.service_name), sent.at


def at_once(case: Case, verdict: Verdict) -> None:
    """One task of a service at a time: what runs in its place comes before the next stop."""
    for stop in case.history.of(Stopped):
        text = f"{stop.task} was stopped while {stop.emptied} places of {stop.service} are empty"
        verdict.check(not stop.emptied, stop.at, text)
        if stop.service in MOVED:
            text = f"{stop.task} of {stop.service} was moved while another service is being moved"
            verdict.check(not stop.elsewhere, stop.at, text)


def breakers(case: Case, verdict: Verdict) -> None:
    """An open one stays open until a deploy has done well for its time."""
    acted = list(_acted(case))
    for (rule, service), one in BY_RULE.items():
        open_since: float | None = None
        for kept in case.history.of(Kept):
            if kept.rule != rule:
                continue
            if kept.open and open_since is None:
                open_since = kept.at
                verdict.check(True, kept.at, "")
            elif not kept.open and open_since is not None:
                _closed(case, verdict, one, open_since, kept.at, "was closed")
                open_since = None
        opened = [k.at for k in case.history.of(Kept) if k.rule == rule and k.open]
        for name, at in acted:
            since = max((o for o in opened if o < at), default=None)
            if name == (rule, service) and since is not None:
                _closed(case, verdict, one, since, at, "restarted")


def _closed(case: Case, verdict: Verdict, one: Ailing, since: float, at: float, what: str) -> None:
    if forgotten(case, since, at):
        return
    deploys = [
        write.at
        for write in case.arrived
        if write.applied and not write.own and write.service == one.service and _deploys(write)
    ]
    right = any(since - SETTLED < deploy <= at - one.pace.calm + LATE for deploy in deploys)
    text = f"{one.rule} {what} at {at:.1f}, though its breaker opened at {since:.1f}"
    verdict.check(right, at, f"{text} and no deploy has done well for {one.pace.calm:g} s")


def _deploys(write: Arrived) -> bool:
    return any(path[0] == "TaskTemplate" and path[1:] != ("ForceUpdate",) for path in write.changed)


def parked(case: Case, verdict: Verdict) -> None:
    """What was parked comes back as it was, and a rule that parked a service remembers it."""
    for one in BY_RULE.values():
        count: int | None = None
        since = 0.0
        for event in _of_parking(case, one.service):
            if isinstance(event, Unparked):
                _told(case, verdict, event, count, since)
                continue
            decision = case.decided(event) if event.own else None
            action = decision.action if decision else None
            if isinstance(action, Park):
                text = f"{event.decision} parked {event.replicas[0]} replicas as {action.replicas}"
                verdict.check(event.replicas == (action.replicas, 0), event.at, text)
                count, since = event.replicas[0], event.at
            elif isinstance(action, Unpark):
                if count is not None and not forgotten(case, since, event.at):
                    text = f"{one.service} comes back with {event.replicas[1]}, not {count}"
                    verdict.check(event.replicas[1] == count, event.at, text)
                count = None
            elif event.replicas[1]:
                count = None


def _of_parking(case: Case, service: str) -> list[Arrived | Unparked]:
    writes: list[Arrived | Unparked] = [o for o in case.arrived if o.applied]
    asked = case.history.of(Unparked)
    of_it = (one for one in (*writes, *asked) if one.service == service)
    return sorted(of_it, key=lambda one: one.at)


def _told(case: Case, verdict: Verdict, asked: Unparked, count: int | None, since: float) -> None:
    if count is None or asked.at - since < STORED or forgotten(case, since, asked.at):
        return
    text = f"{asked.process} does not know that {asked.service} was parked: {asked.said}"
    verdict.check("no rule has parked" not in asked.said, asked.at, text)
