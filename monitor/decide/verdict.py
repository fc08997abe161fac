"""A verdict: what was judged, before a guard may hold it back; and a decision made of it."""

from dataclasses import dataclass, replace

from monitor.decide.conditions import ABLE, guarded
from monitor.decide.guards import guard_end, guard_recheck, guard_sentence, rollout_guard
from monitor.model.action import Action, ScaleTo
from monitor.model.decision import Condition, Decision, Input, Stage
from monitor.model.history import Course, History
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.rule import AnyRule
from monitor.model.view import ServiceView


@dataclass(frozen=True, slots=True)
class Case:
    """What is decided on; the history has noticed what the view shows."""

    rule: AnyRule
    view: ServiceView
    history: History
    now: Now

    @property
    def name(self) -> str:
        return self.view.service.name

    @property
    def replicas(self) -> int:
        return self.view.service.replicas or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`text` follows the service's name in the sentence. The rest as in Decision."""

    desired: int | None
    reason: Reason
    text: str
    recommendation: int | None = None
    stages: tuple[Stage, ...] = ()
    inputs: tuple[Input, ...] = ()
    conditions: tuple[Condition, ...] = ()
    recheck_after: float | None = None
    binding: str = ""
    would_change: str = ""
    failing: bool = False


LEAST_RECHECK = 0.01  # seconds: rounding of times must not make a busy loop


def decision(
    case: Case,
    verdict: Verdict,
    action: Action | None = None,
    holding: tuple[tuple[str, float], ...] = (),
    *,
    course: Course | None = None,
    trial: bool = False,
    handles: tuple[str, ...] = (),
    conditions: tuple[Condition, ...] = (),
) -> Decision:
    recheck = verdict.recheck_after
    glue = "" if verdict.text.startswith(":") else " "
    return Decision(
        time=case.now,
        rule=case.rule.name,
        service_id=case.view.service.id,
        service_name=case.name,
        version=case.view.service.version,
        current=case.view.service.replicas,
        desired=verdict.desired,
        action=action,
        reason=verdict.reason,
        sentence=f"{case.name}{glue}{verdict.text}",
        stages=verdict.stages,
        inputs=verdict.inputs,
        conditions=(*verdict.conditions, *conditions),
        recommendation=verdict.recommendation,
        holding=holding,
        recheck_after=None if recheck is None else max(recheck, LEAST_RECHECK),
        binding=verdict.binding,
        would_change=verdict.would_change,
        seen=case.history.seen if case.view.fresh else None,
        failing=verdict.failing,
        course=course,
        trial=trial,
        handles=handles,
    )


def scale_decision(case: Case, verdict: Verdict) -> Decision:
    """Acts where the wanted replicas differ from those in force and no guard stands against it.

    What is remembered while a guard holds is never below the replicas in force: load during a
    rollout is no proof, so scaling down needs a calm window after it.
    """
    view, now = case.view, case.now
    guard = rollout_guard(view, case.history.own_version, now)
    if guard is None:
        changes = verdict.desired is not None and verdict.desired != case.replicas
        action = ScaleTo(verdict.desired) if changes and verdict.desired is not None else None
        return decision(case, verdict, action)
    text = guard_sentence(view, guard, now)
    if verdict.desired not in (None, case.replicas):
        text += f"; by its load it would go from {case.replicas} to {verdict.desired} replicas"
    before = case.history.set_by_us
    if case.history.reset and before is not None:
        text += f"; a deploy reset it from {before} to {case.replicas}"
    others = tuple(c for c in verdict.conditions if c.type != ABLE)
    held_back = replace(
        verdict,
        reason=guard,
        text=text,
        recommendation=max(case.replicas, verdict.recommendation or 0),
        conditions=(guarded(text), *others),
        recheck_after=guard_recheck(view, case.history.own_version, now),
        binding=guard.value,
        would_change=guard_end(view, guard),
    )
    return decision(case, held_back)
