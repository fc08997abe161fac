"""Replicas that a deploy set back to its file's number, put right at once where a rule says so."""

from collections.abc import Sequence

from monitor.decide import conditions, words
from monitor.decide.guards import rollout_guard
from monitor.decide.history import RESTORED_WITHIN, recently
from monitor.decide.verdict import Case, Verdict
from monitor.model.decision import Stage
from monitor.model.reason import Reason
from monitor.model.rule import ScaleRule
from monitor.model.schedule import AfterDeployReset
from monitor.model.service import UpdateState

MOST = 3  # restorations within RESTORED_WITHIN: who lowers it more often means it


def restoration(case: Case, rule: ScaleRule) -> Verdict | None:
    """What to do about a reset before load is even looked at; None: nothing, load decides.

    A reset is put right in the gap after the deploy and while its update rolls out, though that
    gives up the update's rollback target. Never while an update is paused or rolled back.
    """
    before = case.history.set_by_us
    if rule.after_deploy_reset is not AfterDeployReset.RESTORE:
        return None
    if not case.history.reset or before is None:
        return None
    room, current = case.view.room.tasks, case.replicas
    target = max(rule.min, min(before, rule.max))
    if room is not None:
        target = min(target, max(room, current))
    guard = rollout_guard(case.view, case.history.own_version, case.now)
    closed = guard not in (None, Reason.ROLLOUT_IN_PROGRESS)
    if target <= current or closed or _rolls_back(case):
        return None
    recent = recently(case.history.restored, case.now.mono)
    if len(recent) >= MOST:
        return None if guard is None else _gives_in(case, before, recent)
    text = (
        f": {current} -> {words.replicas(target)}: a deploy reset it from {before} "
        f"to {current}, and the rule restores what a deploy resets"
    )
    return Verdict(
        desired=target,
        reason=Reason.DEPLOY_RESET,
        text=text,
        recommendation=target,
        stages=(Stage("final", target, "before the deploy, within the bounds and the room"),),
        conditions=(conditions.readable(),),
        binding=Reason.DEPLOY_RESET.value,
        would_change="after_deploy_reset: wait",
    )


def _rolls_back(case: Case) -> bool:
    return case.view.service.update_state is UpdateState.ROLLBACK_STARTED


def _gives_in(case: Case, before: int, recent: Sequence[float]) -> Verdict:
    text = (
        f"stays at {case.replicas}: it was set back from {before} again after {len(recent)} "
        f"restorations within {words.duration(RESTORED_WITHIN)}; load decides after its rollout"
    )
    return Verdict(
        desired=case.replicas,
        reason=Reason.FOREIGN_CHANGES,
        text=text,
        recommendation=before,
        conditions=(conditions.guarded(text),),
        recheck_after=1.0,
        binding=Reason.FOREIGN_CHANGES.value,
        would_change="the rollout ends",
    )
