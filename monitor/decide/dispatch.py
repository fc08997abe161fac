"""Deciding any rule, and what a rule must be given samples of."""

from monitor.decide.holding import KINDS
from monitor.decide.rebalance import decide_rebalance
from monitor.decide.restart import decide_restart
from monitor.decide.scale import decide_scale
from monitor.model.decision import Decision
from monitor.model.evidence import NO_EVIDENCE, Evidence
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.rule import (
    AnyRule,
    Metric,
    RebalanceRule,
    RestartRule,
    ScaleRule,
    TaskCondition,
)
from monitor.model.sources import leaves
from monitor.model.usage import MetricKind, Usage
from monitor.model.view import ServiceView

CONDITION_WINDOW = 5.0
"""Seconds over which a condition's usage is averaged: short against any sensible `for`, which says
how long it lasts, and long enough that one quiet or one busy second decides nothing."""


def decide(
    rule: AnyRule,
    view: ServiceView,
    usage: Usage,
    history: History,
    now: Now,
    *,
    own_service: bool = False,
    evidence: Evidence = NO_EVIDENCE,
) -> Decision:
    """What the rule wants of the service now, and why; it reads nothing but its arguments.

    usage: samples by the names of `metrics_of(rule)`, numbers by those of `sources_of(rule)`.
    history: what this rule remembers of this service; see `remember`.
    evidence: what else is known of the service; see `monitor.model.evidence`.
    own_service: whether the agent itself runs as this service.
    The rule's `mode` is not looked at: whether a decision is carried out is another question.
    """
    match rule:
        case ScaleRule():
            return decide_scale(
                rule, view, usage, history, now, own_service=own_service, evidence=evidence
            )
        case RestartRule():
            return decide_restart(
                rule, view, usage, history, now, own_service=own_service, evidence=evidence
            )
        case RebalanceRule():
            return decide_rebalance(
                rule, view, history, now, own_service=own_service, evidence=evidence
            )


def metrics_of(rule: AnyRule) -> tuple[Metric, ...]:
    """The metrics whose samples `decide` looks for in `Usage`, each under its name.

    For a restart rule one per kind of its conditions, named `cpu` or `memory`.
    """
    match rule:
        case ScaleRule(metrics=metrics):
            return tuple(metric for metric in metrics if isinstance(metric, Metric))
        case RestartRule(when=when):
            kinds: dict[str, Metric] = {}
            for condition in leaves(when):
                if not isinstance(condition, TaskCondition):
                    continue
                kind = KINDS[condition.kind]
                kinds.setdefault(kind.value, _judged(kind, condition))
            return tuple(kinds.values())
        case RebalanceRule():
            return ()


def _judged(kind: MetricKind, condition: TaskCondition) -> Metric:
    name, window = kind.value, CONDITION_WINDOW
    return Metric(name, kind, condition.threshold, window=window, rising_window=window)
