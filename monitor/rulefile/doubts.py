"""What in a scale rule is allowed and most likely not meant."""

from collections.abc import Iterator

from monitor.model.rule import Metric, ScaleRule
from monitor.model.scalar import JsonUrl, PrometheusQuery, ScalarMetric


def doubts(rule: ScaleRule) -> Iterator[str]:
    """Sentences, each with the rule's place and name."""
    place = f'{rule.source}: rule "{rule.name}"'
    asleep = rule.min == 0 or any(schedule.min == 0 for schedule in rule.schedules)
    for metric in rule.metrics:
        has_activation = metric.activation not in {None, 0.0}
        if has_activation and not asleep:
            yield f"{place}: activation of {metric.name} has no effect without min: 0"
        if rule.min == 0 and isinstance(metric, Metric) and metric.target and not has_activation:
            yield (
                f"{place}: {metric.name} has no activation, so it does not keep the service "
                "from going to 0 while it is in use"
            )
    yield from _asked_twice(rule, place)


def _asked_twice(rule: ScaleRule, place: str) -> Iterator[str]:
    """Two metrics with different targets may share one question only by a formula."""
    first: dict[tuple[object, ...], str] = {}
    for metric in rule.metrics:
        source = metric.source if isinstance(metric, ScalarMetric) else None
        if isinstance(source, PrometheusQuery):
            key: tuple[object, ...] = (source.query, source.address)
        elif isinstance(source, JsonUrl):
            key = (source.url, source.path)
        else:
            continue
        if key in first:
            yield f"{place}: metrics {first[key]} and {metric.name} ask the same: remove one"
        first.setdefault(key, metric.name)
