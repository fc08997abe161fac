"""What holds a change back besides windows, rates and bounds."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.decide import words
from monitor.decide.capacity import pending_clause
from monitor.decide.combine import Proposal
from monitor.decide.flapping import turns, wait_before_down
from monitor.decide.verdict import Case
from monitor.decide.waiting import on_their_way
from monitor.model.reason import Reason
from monitor.model.rule import MissingSamples, ScaleRule

CRASHES = 3
CRASHES_WITHIN = 120.0  # seconds


@dataclass(frozen=True, slots=True)
class Hold:
    """why: a clause for people. ends: what ends it. wait: seconds, where time alone ends it.

    name: as a reason of the condition ScalingLimited.
    """

    reason: Reason
    name: str
    why: str
    ends: str
    wait: float | None = None


def doubt(case: Case, rule: ScaleRule, proposals: Sequence[Proposal]) -> Hold | None:
    """Why fewer replicas must not be believed: part of the load may be out of sight.

    A lost node or a crash takes load out of sight exactly as calm does.
    """
    crashing = crash_loop(case)
    if crashing is not None or rule.missing_samples is MissingSamples.HPA:
        return crashing
    missing = {task for proposal in proposals for task in proposal.missing}
    if missing:
        why = f"{words.tasks(len(missing))} without a sample; scale-down waits for all samples"
        return Hold(Reason.MISSING_SAMPLES, "MissingSamples", why, "samples of all tasks")
    if on_their_way(case.view, case.now.mono) > 0:
        running, desired = len(case.view.running_tasks), case.view.desired
        why = f"only {running} of {desired} tasks run; scale-down waits for all of them"
        return Hold(Reason.NOT_CONVERGED, "NotConverged", why, "all of its tasks run")
    unready = {task for proposal in proposals for task in proposal.unready}
    if unready:
        why = f"{words.tasks(len(unready))} too fresh to judge; scale-down waits for them"
        wait = min((p.recheck for p in proposals if p.recheck is not None), default=None)
        return Hold(Reason.NOT_CONVERGED, "NotConverged", why, "none is too fresh to judge", wait)
    return None


def crash_loop(case: Case) -> Hold | None:
    """Tasks that fail again and again carry no load, which is no reason to have fewer."""
    now = case.now.mono
    recent = sorted(at for at in case.view.failed_at if at > now - CRASHES_WITHIN)
    if len(recent) < CRASHES:
        return None
    window = words.duration(CRASHES_WITHIN)
    why = f"{words.tasks(len(recent))} failed within {window}; scale-down waits until they hold"
    wait = recent[-CRASHES] + CRASHES_WITHIN - now
    ends = f"fewer than {CRASHES} tasks fail within {window}"
    return Hold(Reason.CRASH_LOOP, "CrashLoop", why, ends, wait)


def brake(case: Case, rule: ScaleRule, wanted: int) -> Hold | None:
    """What stands against going to `wanted` now, whatever load says."""
    if wanted > case.replicas:
        return _pending(case) or _cooldown(case, rule.scale_up.cooldown, "scale_up")
    if wanted < case.replicas:
        return _cooldown(case, rule.scale_down.cooldown, "scale_down") or _flapping(case, rule)
    return None


def _pending(case: Case) -> Hold | None:
    clause = pending_clause(case.view, case.now.mono)
    if clause is None:
        return None
    because = f" ({case.view.room.why})" if case.view.room.why else ""
    return Hold(
        Reason.CAPACITY, "InsufficientCapacity", clause + because, "the waiting tasks have a node"
    )


def _cooldown(case: Case, seconds: float, name: str) -> Hold | None:
    last = max((event.at for event in case.history.events), default=None)
    if last is None or seconds <= 0:
        return None
    wait = last + seconds - case.now.mono
    if wait <= 0:
        return None
    ago, left = words.duration(case.now.mono - last), words.duration(wait)
    why = f"it was changed {ago} ago; the cooldown of {name} lasts another {left}"
    return Hold(Reason.COOLDOWN, "Cooldown", why, f"the same in {left}", wait)


def _flapping(case: Case, rule: ScaleRule) -> Hold | None:
    now, most = case.now.mono, rule.max_direction_changes
    wait = wait_before_down(case.history.events, most, now)
    if wait is None:
        return None
    count = turns(case.history.events, now)
    why = (
        f"it changed direction {count} times within the hour, "
        f"max_direction_changes is {most}; scale-down waits another {words.duration(wait)}"
    )
    ends = f"the same in {words.duration(wait)}, or a wider tolerance"
    return Hold(Reason.FLAPPING, "Flapping", why, ends, wait)
