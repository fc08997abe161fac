"""The samples that a rule judges, gathered for one decision."""

from monitor.model.rule import AnyRule, Metric, ScaleRule
from monitor.model.usage import MetricKind, Usage
from monitor.model.view import ServiceView
from monitor.ports.usage import UsageSource

CONDITION_WINDOW = 15.0
"""Seconds over which a restart condition's usage is averaged; its `for` runs on top of that."""


def measure(rule: AnyRule, view: ServiceView, source: UsageSource, now: float) -> Usage:
    """Samples of the live tasks, by metric name; restart rules know them as `cpu`, `memory`."""
    tasks = [task.id for task in view.tasks if task.live]
    if isinstance(rule, ScaleRule):
        metrics: tuple[tuple[str, MetricKind, float, float], ...] = tuple(map(_asked, rule.metrics))
    else:
        metrics = tuple(
            (kind.value, kind, CONDITION_WINDOW, CONDITION_WINDOW) for kind in MetricKind
        )
    return Usage(
        {
            name: source.samples(tasks, kind, window, rising, now)
            for name, kind, window, rising in metrics
        }
    )


def _asked(metric: Metric) -> tuple[str, MetricKind, float, float]:
    return metric.name, metric.kind, metric.window, metric.rising_window
