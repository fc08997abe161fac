"""Promises 1 to 4: what is written, how often, when, and how much of the spec."""

from collections import Counter

from monitor.decide.guards import SETTLING
from monitor.model.action import ForceUpdate, Park, ScaleTo, SpecAction, Unpark
from tests.simulated.dst import judge_nodes, judge_restarts
from tests.simulated.dst.bystanders import SPARED
from tests.simulated.dst.history import Arrived, Learned
from tests.simulated.dst.judge_survival import forgotten
from tests.simulated.dst.judging import Case, Verdict

PERIOD = 15.0
FACTOR, STEP = 2.0, 4
"""The rules' rate of scaling up, HPA's: to twice as many or by 4, whichever is more, in 15 s."""

DECIDED_AGO = 5.0
"""Seconds: no decision is older when it is written; what it counted was so much younger then."""

MAX_AGE = 5.0
ON_THE_WAY = 0.5
RESTING = (None, "completed", "rollback_completed")


def bounds(case: Case) -> Verdict:
    """1. Also: no faster up than the rule's rate."""
    verdict = Verdict(1)
    for one in case.applied:
        if one.forced or one.mode != "Replicated" or not isinstance(case.action_of(one), ScaleTo):
            continue
        before, after = one.replicas
        decision = case.decided(one)
        rule = decision.rule if decision else one.service
        low, high = case.bounds(one.decision.partition("|")[0], rule, one.at)
        text = f"{one.service} from {before} to {after} outside {low} to {high} ({one.decision})"
        verdict.check(low <= after <= high, one.at, text)
        if after > before and not forgotten(case, one.at - PERIOD, one.at):
            limit = max(_up_limit(case, one), low)
            text = f"{one.service} from {before} to {after}, faster than to {limit}"
            verdict.check(after <= limit, one.at, f"{text} ({one.decision})")
    judge_nodes.fenced(case, verdict)
    return verdict


def _up_limit(case: Case, write: Arrived) -> int:
    """What the rate allows at most: what was added counts as long as it surely did when it was
    decided, and what was taken away as long as it may have."""
    added = 0
    for other in case.applied_by_service[write.service]:
        change = other.replicas[1] - other.replicas[0]
        younger = write.at - other.at
        counts = PERIOD - DECIDED_AGO if change > 0 else PERIOD + 2 * DECIDED_AGO
        if 0 < younger < counts and not other.forced:
            added += change
    start = write.replicas[0] - added
    return int(max(start * FACTOR, start + STEP))


def one_write(case: Case) -> Verdict:
    """2."""
    verdict = Verdict(2)
    sent = Counter(one.decision for one in case.sent)
    arrived = Counter(one.decision for one in case.own)
    for one in case.sent:
        decision = case.decided(one)
        text = f"{one.decision} was sent {sent[one.decision]} times"
        verdict.check(sent[one.decision] == 1, one.at, text)
        verdict.check(decision is not None, one.at, f"{one.decision} was never decided")
        if decision is not None:
            age = one.at - decision.time.mono
            verdict.check(
                age <= MAX_AGE + ON_THE_WAY, one.at, f"{one.decision} was {age:.1f} s old"
            )
    for write in case.own:
        decision = case.decided(write)
        verdict.check(arrived[write.decision] == 1, write.at, f"{write.decision} arrived twice")
        version = decision.version if decision else None
        text = f"{write.decision} was decided on {version} and written on {write.version}"
        verdict.check(write.version == version, write.at, text)
        if write.applied:
            text = f"{write.decision} of version {write.version} took effect on {write.was}"
            verdict.check(write.was == version, write.at, text)
    _one_at_a_time(case, verdict)
    _told_right(case, verdict)
    judge_restarts.one_stop(case, verdict)
    judge_nodes.one_write(case, verdict)
    return verdict


def _one_at_a_time(case: Case, verdict: Verdict) -> None:
    """No agent decides anew to write to a service before it knows what became of its last write."""
    open_writes: dict[tuple[str, str], tuple[str, float]] = {}
    learned = {one.decision: one.at for one in case.history.of(Learned)}
    for one in case.sent:
        decision, key = case.decided(one), (one.process, one.service)
        before = open_writes.get(key)
        if before is not None and decision is not None:
            known = learned.get(before[0], float("inf"))
            text = f"{one.decision} while what became of {before[0]} was not known"
            verdict.check(known <= decision.time.mono, one.at, text)
        open_writes[key] = (one.decision, one.at)


def _told_right(case: Case, verdict: Verdict) -> None:
    """What an agent says became of its write is what did; where it cannot know, it says so."""
    applied = {one.decision for one in case.applied}
    arrived = {one.decision for one in case.own}
    told: set[str] = set()
    for one in case.history.of(Learned):
        decision = case.decisions.get(one.decision)
        if one.decision in told or decision is None or decision.node_id:
            continue
        told.add(one.decision)  # what it finds out later it can only guess from the spec
        if one.outcome == "applied" and isinstance(decision.action, SpecAction):
            text = f"{one.decision} counts as applied, and was not"
            verdict.check(one.decision in applied, one.at, text)
        elif one.outcome in ("conflict", "refused", "failed") and one.decision in arrived:
            text = f"{one.decision} counts as {one.outcome}, and took effect"
            verdict.check(one.decision not in applied, one.at, text)


def rollouts(case: Case) -> Verdict:
    """3."""
    verdict = Verdict(3)
    foreign: dict[str, tuple[float, int]] = {}
    newest: dict[str, bool] = {}
    for one in case.arrived:
        if not one.applied:
            continue
        if not one.own:
            if not one.changed:
                continue  # right after a write of ours nobody can tell it from that
            foreign[one.service_id] = (one.at, one.was)
            newest[one.service_id] = False
            continue
        verdict.check(one.state in RESTING, one.at, f"{one.decision} during {one.state}")
        since = one.at - foreign.get(one.service_id, (float("-inf"), 0))[0]
        text = f"{one.decision} {since:.3f} s after somebody else's change"
        verdict.check(since >= SETTLING, one.at, text)
        ours = newest.get(one.service_id, False)
        if one.state is None and not ours:
            text = f"{one.decision} in the gap before a rollout: tasks run another template"
            verdict.check(not one.dirty, one.at, text)
        newest[one.service_id] = True
        text = f"{one.decision} to a {one.mode} service"
        verdict.check(one.mode == "Replicated" and one.service != "monitor", one.at, text)
    for sent in case.sent:
        text = f"{sent.decision} to {sent.service}, though {SPARED.get(sent.service)}"
        verdict.check(sent.service not in SPARED, sent.at, text)
    judge_restarts.no_rollout(case, verdict)
    return verdict


def one_field(case: Case) -> Verdict:
    """4. Also what is refused must not have asked for more."""
    verdict = Verdict(4)
    for one in case.own:
        decision = case.decided(one)
        if not one.applied and one.was != one.version:
            continue  # compared with a spec that it was not made from
        match decision.action if decision else None:
            case ScaleTo(replicas):
                right = one.changed == [("Mode", "Replicated", "Replicas")]
                right = right and one.replicas[1] == replicas
            case Park(replicas):
                right = one.changed == [("Mode", "Replicated", "Replicas")]
                right = right and one.replicas == (replicas, 0)
            case Unpark(replicas):
                right = one.changed == [("Mode", "Replicated", "Replicas")]
                right = right and one.replicas == (0, replicas)
            case ForceUpdate():
                before = one.before["TaskTemplate"].get("ForceUpdate") or 0
                right = one.forced and one.after["TaskTemplate"]["ForceUpdate"] == before + 1
            case _:
                right = False
        verdict.check(right, one.at, f"{one.decision} changed {one.changed}")
    judge_restarts.one_container(case, verdict)
    judge_nodes.one_field(case, verdict)
    return verdict
