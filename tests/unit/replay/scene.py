"""Rules and traces that tests of replays share."""

import math

from monitor.model.rule import Basis, Metric, Quantity, ScaleRule
from monitor.model.selector import Selector
from monitor.model.usage import MetricKind
from monitor.replay.trace import Trace, trace_of

BEGIN = 1_767_225_600.0


def cpu_rule(target: float = 0.5, most: int = 10, **parts) -> ScaleRule:
    metric = Metric("cpu", MetricKind.CPU, Quantity(target, Basis.AUTO))
    selector = Selector(names=("web",))
    metrics = parts.pop("metrics", (metric,))
    return ScaleRule(name="web", selector=selector, min=1, max=most, metrics=metrics, **parts)


def minutes(*values: float, step: float = 60.0) -> Trace:
    return trace_of("made", [(BEGIN + step * n, value) for n, value in enumerate(values)])


def waves(minutes_long: int) -> Trace:
    """A wave of 20 minutes with a jitter that looks like chance, and a jump each 12 minutes."""
    values = [
        2 + 1.5 * math.sin(n / 20 * math.tau) + (n * 7919 % 13) / 20 + 2 * (n % 12 > 9)
        for n in range(minutes_long)
    ]
    return minutes(*values)
