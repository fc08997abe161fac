"""Which rule is replayed, and whether a load trace says enough for it."""

from collections.abc import Sequence
from pathlib import Path

from monitor.model.rule import Metric, RuleSet, ScaleRule
from monitor.model.scalar import Per, ScalarMetric
from monitor.model.usage import MetricKind
from monitor.replay.terms import Terms, usual_per_replica
from monitor.replay.trace import Trace


def chosen(paths: Sequence[Path], rules: RuleSet, name: str | None) -> ScaleRule:
    """The scale rule of that name, or the only one; raises ValueError."""
    where = ", ".join(str(path) for path in paths)
    scaling = [rule for rule in rules.rules if isinstance(rule, ScaleRule)]
    names = ", ".join(rule.name for rule in scaling)
    if name is None:
        if len(scaling) == 1:
            return scaling[0]
        if scaling:
            raise ValueError(
                f"{where} holds {len(scaling)} scale rules: choose with --rule one of {names}"
            )
        raise ValueError(f"{where} holds no scale rule, and a load trace says nothing to others")
    found = [rule for rule in rules.rules if rule.name == name]
    if not found:
        raise ValueError(f"{where} holds no rule {name}; its scale rules are {names or 'none'}")
    if not isinstance(found[0], ScaleRule):
        raise ValueError(f"{name} is a restart rule: a load trace says nothing to it")  # noqa: TRY004
    return found[0]


def check(rule: ScaleRule, terms: Terms) -> None:
    """Raises ValueError where the rule follows what is not in a load trace."""
    if not rule.metrics:
        raise ValueError(f"{rule.name} follows no metric: it has bounds alone")
    for metric in rule.metrics:
        if not isinstance(metric, Metric):
            continue
        if metric.kind is MetricKind.MEMORY and terms.memory is None:
            raise ValueError(
                f"{rule.name} follows memory, which a load trace says nothing about: write "
                "--memory with what each task uses, or leave the metric out"
            )
        if metric.kind not in (MetricKind.CPU, MetricKind.MEMORY):
            raise ValueError(
                f"{rule.name} follows {metric.kind.value}, which a load trace says nothing "
                "about: leave the metric out"
            )


def capacity(rule: ScaleRule, trace: Trace, good_until: float, cpu: float) -> tuple[float, str]:
    """What one replica serves at 100 % where nobody says so, and a clause on how it was found."""
    for metric in rule.metrics:
        if isinstance(metric, ScalarMetric) and metric.target and metric.per is Per.REPLICA:
            return metric.target / good_until, f"{metric.name} has a target of {metric.target:g}"
    share = _target_share(rule, cpu)
    if share is None:
        share = good_until
    clause = f"the rule's maximum of {rule.max} just carries the peak at its target"
    return usual_per_replica(trace, rule.max, share), clause


def _target_share(rule: ScaleRule, cpu: float) -> float | None:
    """Of a replica's CPU, by the first metric that has one."""
    for metric in rule.metrics:
        if isinstance(metric, Metric) and metric.kind is MetricKind.CPU and metric.target:
            value = metric.target.value
            return value if metric.target.of is not None else value / cpu
    return None
