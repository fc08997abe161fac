"""Whole reconciliations: the core decides a rule on a service, a writer applies it or fails."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from monitor.decide import ambiguous, not_written, written
from monitor.decide.combine import Proposal
from monitor.decide.proposal import Fault
from monitor.decide.propose import Judged
from monitor.decide.scale import settle
from monitor.model.action import ScaleTo
from monitor.model.decision import Decision
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.rule import MissingSamples, ScaleRule
from monitor.model.selector import Selector
from monitor.model.service import Service, ServiceMode
from monitor.model.view import ServiceView
from tests.hpa_conformance import metrics, rules
from tests.hpa_conformance.pods import NOW

Case = Mapping[str, Any]
Found = dict[str, object]
VERSION = 7
DEFAULT_METRIC: Case = {
    "kind": "resource_utilization",
    "resource": "cpu",
    "targetUtilizationPercent": metrics.DEFAULT_UTILIZATION,
}


def rule_of(case: Case, meta: Case) -> ScaleRule:
    up, down = rules.both(case, meta)
    return ScaleRule(
        name="case",
        selector=Selector(names=("target",)),
        min=1 if case.get("minReplicas") is None else case["minReplicas"],
        max=case["maxReplicas"],
        metrics=(),
        scale_up=up,
        scale_down=down,
        missing_samples=MissingSamples.HPA,
        max_direction_changes=sys.maxsize,
        tuning=rules.tuning(meta, with_behavior=case.get("behavior") is not None),
    )


def view_of(replicas: int, *, fresh: bool = True) -> ServiceView:
    service = Service(
        id="target", name="target", version=VERSION, mode=ServiceMode.REPLICATED,
        replicas=replicas, template="t",
    )  # fmt: skip
    return ServiceView(service, (), {}, NOW - 3600, NOW, fresh=fresh)


def history_of(case: Case) -> History:
    past = case.get("recommendations")
    fresh = past == "nil" or past is None
    return History(
        started=not fresh,
        recommendations=() if fresh else rules.recommendations(past),
        events=rules.events(case),
        own_version=VERSION,
    )


def reconcile(case: Case, meta: Case) -> tuple[Found, Found]:
    """What the case expects and what was found, under the same keys."""
    failure = case.get("injectFailure") or ""
    asked = [_broken(metric, failure) for metric in _metrics(case)]
    rule = rule_of(case, meta)
    proposals: list[Proposal] = []

    def propose() -> Judged:
        proposals.extend(metrics.proposal(metric, case, rule.tuning) for metric in asked)
        return tuple(proposals), ()

    decision = _decide(case, rule, failure, propose)
    if decision.action is not None:
        failing = failure.startswith("writing")
        decision = not_written(decision, failure) if failing else written(decision)
        decision = replace(decision, action=None) if failing else decision
    expected = {key: value for key, value in case.items() if key.startswith("expected")}
    if "expectedConditions" in case:
        expected["expectedConditions"] = _conditions(
            (one["type"], one["status"] == "True", one["reason"])
            for one in case["expectedConditions"]
        )
    found = _found(case, decision, proposals, failure)
    return expected, {key: found.get(key) for key in expected}


def _metrics(case: Case) -> Sequence[Case]:
    """Without any the controller's API fills in CPU."""
    return case.get("metrics") or (DEFAULT_METRIC,)


def _broken(metric: Case, failure: str) -> Case:
    fails = failure.startswith("every metrics API") and metric["kind"] != "unknown"
    return {**metric, "fetchFails": True} if fails else metric


def _decide(case: Case, rule: ScaleRule, failure: str, propose: Any) -> Decision:
    view = view_of(case["currentReplicas"], fresh=not failure.startswith("reading"))
    history, now = history_of(case), Now(NOW, 0.0)
    if "selects the same pods" in failure or "selected by two" in failure:
        return ambiguous(rule, view, ["another"], history, now)
    return settle(rule, view, propose, history, now)


def _found(case: Case, decision: Decision, proposals: Sequence[Proposal], failure: str) -> Found:
    current = case["currentReplicas"]
    action = decision.action
    faulty = any(isinstance(one.outcome, Fault) for one in proposals)
    able = next((one for one in decision.conditions if one.type == "AbleToScale"), None)
    refused = decision.reason in (Reason.AMBIGUOUS, Reason.OUT_OF_SYNC)
    broken = faulty or refused or (able is not None and not able.status)
    labels = [metrics.label(metric) for metric in _metrics(case)][: len(proposals)]
    return {
        "expectedDesiredReplicas": action.replicas if isinstance(action, ScaleTo) else current,
        "expectedConditions": _conditions(
            (one.type, one.status, one.reason) for one in decision.conditions
        ),
        "expectedReconcileAction": decision.action_name,
        "expectedReconcileError": "internal" if broken else "none",
        "expectedMetricActions": dict(
            zip(labels, (_direction(one, current) for one in proposals), strict=True)
        ),
        "expectedMetricErrors": dict(zip(labels, map(_error, proposals), strict=True)),
        "expectedCPUUtilizationPercent": _utilization(proposals),
        "expectedEvent": _event(decision, proposals),
    }


def _conditions(found: Any) -> list[tuple[str, bool, str]]:
    return sorted(found)


def _direction(proposal: Proposal, current: int) -> str:
    wanted = proposal.wanted
    if wanted is None or wanted.replicas == current:
        return "none"
    return "scale_up" if wanted.replicas > current else "scale_down"


def _error(proposal: Proposal) -> str:
    if proposal.outcome is Fault.UNKNOWN_SOURCE:
        return "spec"
    return "internal" if isinstance(proposal.outcome, Fault) else "none"


def _utilization(proposals: Sequence[Proposal]) -> float | None:
    for proposal in proposals:
        if proposal.metric.startswith("cpu") and proposal.wanted is not None:
            return proposal.wanted.level.level
    return None


def _event(decision: Decision, proposals: Sequence[Proposal]) -> str | None:
    """The controller names its reason before it normalises, so also where windows turn it round."""
    if decision.action is None:
        return None
    current = decision.current or 0
    if decision.reason is Reason.ABOVE_MAX:
        why = "Current number of replicas above Spec.MaxReplicas"
    elif decision.reason is Reason.BELOW_MIN:
        why = "Current number of replicas below Spec.MinReplicas"
    else:
        asked = [(one, one.wanted.replicas) for one in proposals if one.wanted is not None]
        best, most = max(asked, key=lambda pair: pair[1])
        why = "All metrics below target" if most < current else ""
        why = f"{best.metric} above target" if most > current else why
    return f"New size: {decision.desired}; reason: {why}"
