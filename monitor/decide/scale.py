"""Deciding a scale rule: how many replicas, and what bound the answer.

The order is HorizontalPodAutoscaler's (section names as in its controller): refusals, a
person's zero, bounds without metrics, metrics, stabilization, rates, bounds. A rollout guard
is asked last but wins: what it holds back is still computed, to be shown.
"""

from collections.abc import Callable

from monitor.decide import conditions, sentence, stages
from monitor.decide.bounds import Range, Restrained, outside, restrain, restrain_capped
from monitor.decide.combine import Combined, Proposal, combine
from monitor.decide.history import known_recommendations
from monitor.decide.metric import judge_metric, relevant_tasks
from monitor.decide.outcome import conclude, failed
from monitor.decide.refusals import refusal
from monitor.decide.settled import Settled
from monitor.decide.stabilize import Stabilized, stabilize, stabilize_down
from monitor.decide.verdict import Case, Verdict, decision, scale_decision
from monitor.model.decision import Decision, Input
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.rule import Metric, MissingSamples, ScaleRule
from monitor.model.usage import Usage
from monitor.model.view import ServiceView

Judged = tuple[tuple[Proposal, ...], tuple[Input, ...]]


def decide_scale(
    rule: ScaleRule,
    view: ServiceView,
    usage: Usage,
    history: History,
    now: Now,
    *,
    own_service: bool = False,
) -> Decision:
    """`usage` holds the samples of each of `rule.metrics`, under its name."""

    def propose() -> Judged:
        tasks = relevant_tasks(view)
        judged = [
            judge_metric(rule, metric, view, tasks, usage, now=now.mono)
            for metric in rule.metrics
            if isinstance(metric, Metric)
        ]
        return (
            tuple(proposal for proposal, _ in judged),
            tuple(seen for _, inputs in judged for seen in inputs),
        )

    return settle(rule, view, propose, history, now, own_service=own_service)


def settle(
    rule: ScaleRule,
    view: ServiceView,
    propose: Callable[[], Judged],
    history: History,
    now: Now,
    *,
    own_service: bool = False,
) -> Decision:
    """Everything but the metrics: `propose` is only asked where they matter."""
    case = Case(rule, view, history, now)
    refused = refusal(case, own_service=own_service)
    if refused is not None:
        return decision(case, refused)
    if case.replicas == 0 and rule.min != 0 and not history.scaled_to_zero_by_us:
        return decision(case, _persons_zero())
    target = outside(case.replicas, Range(rule.min, rule.max))
    if target is not None:
        return scale_decision(case, _to_bound(rule, case.replicas, target))
    return scale_decision(case, _by_metrics(case, rule, propose))


def _persons_zero() -> Verdict:
    text = "is left alone: it was scaled to 0 by hand; scale it to 1 or more to hand it back"
    return Verdict(
        desired=0,
        reason=Reason.SCALED_TO_ZERO_BY_USER,
        text=text,
        conditions=(conditions.readable(), conditions.disabled(text)),
    )


def _to_bound(rule: ScaleRule, current: int, target: int) -> Verdict:
    above = current > target
    return Verdict(
        desired=target,
        reason=Reason.ABOVE_MAX if above else Reason.BELOW_MIN,
        text=sentence.to_bound(current, target, above=above),
        stages=stages.to_bound(target),
        conditions=(conditions.readable(),),
    )


def _by_metrics(case: Case, rule: ScaleRule, propose: Callable[[], Judged]) -> Verdict:
    proposals, inputs = propose()
    combined = combine(proposals, case.replicas)
    if combined.best is None or combined.best.wanted is None:
        return failed(case, rule, combined, inputs)
    settled = _normalise(case, rule, proposals, combined, combined.best.wanted.replicas)
    return conclude(case, rule, settled, inputs)


def _normalise(
    case: Case,
    rule: ScaleRule,
    proposals: tuple[Proposal, ...],
    combined: Combined,
    proposed: int,
) -> Settled:
    stabilized = _stabilized(case, rule, proposed)
    restrained = _restrained(case, rule, stabilized.value)
    hold = _hold(case, rule, proposals) if proposed < case.replicas else None
    final = restrained.bounded
    if hold is not None and final < case.replicas:
        final = case.replicas
    return Settled(proposals, combined, proposed, stabilized, restrained, hold, final)


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
    now = case.now.mono
    return restrain(current, desired, bounds, up=up, down=down, events=events, now=now)


def _hold(case: Case, rule: ScaleRule, proposals: tuple[Proposal, ...]) -> Reason | None:
    """Why fewer replicas must not be believed: part of the load may be out of sight.

    A lost node or a crash takes load out of sight exactly as calm does.
    """
    if rule.missing_samples is MissingSamples.HPA:
        return None
    if any(proposal.missing for proposal in proposals):
        return Reason.MISSING_SAMPLES
    if len(case.view.running_tasks) < case.view.desired:
        return Reason.NOT_CONVERGED
    if any(proposal.unready for proposal in proposals):
        return Reason.NOT_CONVERGED
    return None
