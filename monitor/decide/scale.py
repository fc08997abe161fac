"""Deciding a scale rule: how many replicas, and what bound the answer.

The order is HorizontalPodAutoscaler's (section names as in its controller), with what a Swarm
adds to it: refusals, a person's zero, what a deploy reset, bounds without metrics, metrics,
activity, stabilization, rates, bounds, the room on the nodes, holds. A rollout guard is asked
last but wins: what it holds back is still computed, to be shown.
"""

from collections.abc import Callable
from dataclasses import replace

from monitor.decide import conditions, fallback, sentence, stages
from monitor.decide.bounds import Range, Restrained, outside, restrain, restrain_capped
from monitor.decide.capacity import fitting
from monitor.decide.combine import combine
from monitor.decide.history import known_recommendations
from monitor.decide.holds import brake, doubt
from monitor.decide.notice import notice, seen_of
from monitor.decide.outcome import conclude, failed, flapping_conditions
from monitor.decide.propose import Judged
from monitor.decide.propose import propose as propose_all
from monitor.decide.refusals import refusal
from monitor.decide.reset import restoration
from monitor.decide.settled import Settled, Wish
from monitor.decide.sleep import Asleep, activity, wanted
from monitor.decide.stabilize import Stabilized, stabilize, stabilize_down
from monitor.decide.verdict import Case, Verdict, decision, scale_decision
from monitor.model.action import ScaleTo
from monitor.model.decision import Decision, Input
from monitor.model.evidence import NO_EVIDENCE, Evidence
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.rule import ScaleRule, SelectPolicy
from monitor.model.usage import Usage
from monitor.model.view import ServiceView


def decide_scale(
    rule: ScaleRule,
    view: ServiceView,
    usage: Usage,
    history: History,
    now: Now,
    *,
    own_service: bool,
    evidence: Evidence = NO_EVIDENCE,
) -> Decision:
    """`usage` holds the samples or the number of each of `rule.metrics`, under its name."""

    def propose() -> Judged:
        return propose_all(rule, view, usage, now.mono)

    return settle(rule, view, propose, history, now, own_service=own_service, evidence=evidence)


def settle(
    rule: ScaleRule,
    view: ServiceView,
    propose: Callable[[], Judged],
    history: History,
    now: Now,
    *,
    own_service: bool = False,
    evidence: Evidence = NO_EVIDENCE,
) -> Decision:
    """Everything but the metrics: `propose` is only asked where they matter."""
    case = Case(rule, view, history, now)
    refused = refusal(case, own_service=own_service, evidence=evidence)
    if refused is not None:
        return decision(case, refused)
    case = replace(case, history=notice(history, seen_of(view.service)))
    if case.replicas == 0 and _persons(rule, case.history):
        return decision(case, _persons_zero())
    restored = restoration(case, rule)
    if restored is not None:
        return decision(case, restored, _restoring(case, restored))
    target = outside(case.replicas, Range(rule.min, rule.max))
    if target is not None:
        return scale_decision(case, _to_bound(case, rule, target))
    return scale_decision(case, _by_metrics(case, rule, propose))


def _persons(rule: ScaleRule, history: History) -> bool:
    """Whether a zero is somebody's wish. Where `min` is 0, only if it was seen being made."""
    return history.zero_by_user if rule.min == 0 else not history.scaled_to_zero_by_us


def _persons_zero() -> Verdict:
    text = "is left alone: it was scaled to 0 by hand; scale it to 1 or more to hand it back"
    return Verdict(
        desired=0,
        reason=Reason.SCALED_TO_ZERO_BY_USER,
        text=text,
        conditions=(conditions.readable(), conditions.disabled(text)),
        binding=Reason.SCALED_TO_ZERO_BY_USER.value,
        would_change="somebody scales it to 1 or more",
    )


def _restoring(case: Case, verdict: Verdict) -> ScaleTo | None:
    if verdict.desired is None or verdict.desired == case.replicas:
        return None
    return ScaleTo(verdict.desired, during_rollout=True)


def _to_bound(case: Case, rule: ScaleRule, target: int) -> Verdict:
    current = case.replicas
    above = current > target
    return Verdict(
        desired=target,
        reason=Reason.ABOVE_MAX if above else Reason.BELOW_MIN,
        text=sentence.to_bound(current, target, above=above),
        stages=stages.to_bound(target),
        conditions=(conditions.readable(), *flapping_conditions(case, rule)),
        binding="max" if above else "min",
        would_change=f"max of {current} or more" if above else f"min of {current} or less",
    )


def _by_metrics(case: Case, rule: ScaleRule, propose: Callable[[], Judged]) -> Verdict:
    proposals, inputs = propose()
    if not proposals:
        return _nothing_to_follow(case, rule, inputs)
    combined = combine(proposals, case.replicas)
    asleep = activity(proposals, rule.min)
    proposed = wanted(asleep, combined, case.replicas)
    best, failure = combined.best, None
    if proposed is None or best is None:
        failure = combined.failure
        assert failure is not None  # a rule with proposals has one to follow, or one that failed
        best = fallback.proposal(case, rule, failure)
        if best is None or best.wanted is None:
            return failed(case, rule, failure, inputs)
        proposed = best.wanted.replicas
    wish = Wish(proposals, best, asleep, proposed, failure)
    return conclude(case, rule, _normalise(case, rule, wish), inputs)


def _nothing_to_follow(case: Case, rule: ScaleRule, inputs: tuple[Input, ...]) -> Verdict:
    """A rule of bounds alone; or one of usage alone, on a service that has no tasks to use any."""
    current = case.replicas
    usage = any(metric.target is not None for metric in rule.metrics)
    if usage:
        text = "stays at 0: its metrics are usage of tasks, and it has none; scale it to 1 or more"
    else:
        text = f"stays at {current}: it is within its bounds, and there is no metric to follow"
    return Verdict(
        desired=current,
        reason=Reason.AT_MIN if usage else Reason.WITHIN_TOLERANCE,
        text=text,
        recommendation=current,
        inputs=inputs,
        conditions=(conditions.readable(),),
        binding="min" if usage else "",
        would_change="somebody scales it to 1 or more" if usage else "other bounds",
    )


def _normalise(case: Case, rule: ScaleRule, wish: Wish) -> Settled:
    current = case.replicas
    stabilized = _stabilized(case, rule, wish.proposed)
    restrained = _restrained(case, rule, stabilized.value)
    if current == 0 and (wish.asleep is Asleep.AWAKE or wish.failure is not None):
        restrained = _first_replica(rule, restrained, stabilized.value)
    fits = final = fitting(case.view, current, restrained.bounded)
    doubted = doubt(case, rule, wish.proposals) if wish.proposed < current else None
    if doubted is not None and final < current:
        final = current
    braked = brake(case, rule, final)
    if braked is not None:
        final = current
    return Settled(
        wish=wish,
        stabilized=stabilized,
        restrained=restrained,
        fitting=fits,
        doubt=doubted,
        brake=braked,
        final=final,
    )


def _stabilized(case: Case, rule: ScaleRule, proposed: int) -> Stabilized:
    now, current = case.now.mono, case.replicas
    past = known_recommendations(case.history, current, now)
    down_window = rule.scale_down.stabilization_window
    if rule.tuning.upscale_cap is not None:
        return stabilize_down(past, proposed, down_window, now)
    up_window = rule.scale_up.stabilization_window
    return stabilize(past, current, proposed, up_window=up_window, down_window=down_window, now=now)


def _restrained(case: Case, rule: ScaleRule, desired: int) -> Restrained:
    bounds, current = Range(rule.min, rule.max), case.replicas
    if rule.tuning.upscale_cap is not None:
        return restrain_capped(current, desired, bounds, rule.tuning.upscale_cap)
    up, down, events = rule.scale_up, rule.scale_down, case.history.events
    now, noise = case.now.mono, rule.tuning.noise
    return restrain(current, desired, bounds, up=up, down=down, events=events, now=now, noise=noise)


def _first_replica(rule: ScaleRule, restrained: Restrained, desired: int) -> Restrained:
    """No percentage of zero is one; what wakes up, or falls back, has one replica at first, unless
    going up is disabled."""
    if restrained.bounded or not desired or not rule.max:
        return restrained
    if rule.scale_up.select_policy is SelectPolicy.DISABLED:
        return restrained
    return replace(restrained, rate_limited=1, bounded=1)
