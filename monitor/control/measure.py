"""What a rule judges, gathered for one decision: samples of tasks, numbers of services."""

from monitor.decide import metrics_of
from monitor.model.rule import AnyRule, ScaleRule
from monitor.model.scalar import JsonUrl, Number, PrometheusQuery, ScalarMetric
from monitor.model.usage import Usage
from monitor.model.view import ServiceView
from monitor.ports.numbers import NumberReader
from monitor.ports.usage import UsageSource
from monitor.sources.substitute import Subject, substituted


def measure(
    rule: AnyRule, view: ServiceView, source: UsageSource, numbers: NumberReader, now: float
) -> Usage:
    """Samples of the live tasks and numbers, by metric name; `now` in monotonic seconds."""
    tasks = [task.id for task in view.tasks if task.live]
    samples = {
        metric.name: source.samples(tasks, metric.kind, metric.window, metric.rising_window, now)
        for metric in metrics_of(rule)
    }
    if not isinstance(rule, ScaleRule):
        return Usage(samples)
    return Usage(samples, _numbers(rule, view, numbers, now))


def _numbers(
    rule: ScaleRule, view: ServiceView, numbers: NumberReader, now: float
) -> dict[str, Number]:
    """Without those that were never read yet."""
    subject = Subject(view.service.name, view.service.stack, rule.name)
    found: dict[str, Number] = {}
    for metric in rule.metrics:
        if not isinstance(metric, ScalarMetric):
            continue
        if isinstance(metric.source, PrometheusQuery | JsonUrl):
            number = numbers.number(substituted(metric.source, subject), now)
            if number is not None:
                found[metric.name] = number
    return found
