"""The samples that a rule judges, gathered for one decision."""

from monitor.decide import metrics_of
from monitor.model.rule import AnyRule
from monitor.model.usage import Usage
from monitor.model.view import ServiceView
from monitor.ports.usage import UsageSource


def measure(rule: AnyRule, view: ServiceView, source: UsageSource, now: float) -> Usage:
    """Samples of the live tasks, by metric name; `now` in monotonic seconds."""
    tasks = [task.id for task in view.tasks if task.live]
    return Usage(
        {
            metric.name: source.samples(
                tasks, metric.kind, metric.window, metric.rising_window, now
            )
            for metric in metrics_of(rule)
        }
    )
