"""Replicas to have at least while no metric can be followed, as a rule states them."""

from monitor.decide import conditions, words
from monitor.decide.combine import Proposal
from monitor.decide.measure import Level
from monitor.decide.proposal import Wanted
from monitor.decide.verdict import Case
from monitor.model.decision import Condition
from monitor.model.rule import ScaleRule


def waits(case: Case, rule: ScaleRule) -> float | None:
    """Seconds until the fallback applies, given that metrics fail now; None: the rule has none."""
    if rule.fallback is None:
        return None
    since = case.history.failing_since
    failing = 0.0 if since is None else case.now.mono - since
    return max(0.0, rule.fallback.after - failing)


def proposal(case: Case, rule: ScaleRule, failure: Proposal) -> Proposal | None:
    """In place of the metrics, where they have failed for long enough; never below current."""
    if rule.fallback is None or waits(case, rule) != 0.0:
        return None
    least = rule.fallback.replicas
    wanted = max(case.replicas, least)
    since = case.history.failing_since
    lasted = words.duration(case.now.mono - (case.now.mono if since is None else since))
    text = f"no metric could be followed for {lasted}, so it has at least {least} ({failure.text})"
    return Proposal(
        metric=failure.metric,
        source=failure.source,
        outcome=Wanted(wanted, least, Level(1.0, 0.0, 0)),
        text=text,
    )


def condition(rule: ScaleRule, wait: float | None) -> tuple[Condition, ...]:
    """Nothing where the rule has no fallback. `wait`: seconds until it applies; None: all well."""
    if rule.fallback is None:
        return ()
    count = words.replicas(rule.fallback.replicas)
    if wait is None:
        return (conditions.fallback(False, "MetricsReadable", "metrics can be followed"),)
    if wait > 0:
        soon = f"at least {count} in {words.duration(wait)} unless a metric can be followed"
        return (conditions.fallback(False, "MetricsFailing", soon),)
    return (conditions.fallback(True, "NoMetricReadable", f"at least {count} until one can be"),)
