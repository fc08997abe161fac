"""A prometheus_client collector that reads the agent's facts at each scrape."""

from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from monitor.export.budget import SeriesBudget
from monitor.export.catalogue.agent import (
    DROPPED,
    FACT_GENERATORS,
    LOOP_DELAY,
    REQUEST_SECONDS,
)
from monitor.export.catalogue.ends import RECOVERY_SECONDS
from monitor.export.catalogue.fleet import EVENT_DELAY
from monitor.export.facts import AgentFacts, CallFacts, DelayFacts
from monitor.export.family import Family, Sample
from monitor.export.text import printable


class FactsCollector(Collector):
    """`facts` is called once per scrape; it must answer at once, from memory."""

    def __init__(self, facts: Callable[[], AgentFacts], budget: SeriesBudget) -> None:
        self._facts = facts
        self._budget = budget

    def collect(self) -> Iterable[Metric]:
        facts = self._facts()
        for generator in FACT_GENERATORS:
            metric = _metric(generator.family, generator.samples(facts))
            if metric.samples:
                yield metric
        if facts.loop_delays is not None:
            yield _delay(LOOP_DELAY, facts.loop_delays)
        if facts.calls:
            yield _durations(facts.calls)
        if facts.fleet is not None and facts.fleet.delays:
            yield _delays(EVENT_DELAY, facts.fleet.delays)
        if facts.ends is not None and facts.ends.recoveries:
            yield _delays(RECOVERY_SECONDS, facts.ends.recoveries)
        yield _metric(DROPPED, [((reason,), n) for reason, n in self._budget.dropped.items()])

    def describe(self) -> Iterable[Metric]:
        """Names for the registry's check of duplicates, without asking for facts yet."""
        generated = (generator.family for generator in FACT_GENERATORS)
        families = (
            *generated,
            LOOP_DELAY,
            REQUEST_SECONDS,
            EVENT_DELAY,
            RECOVERY_SECONDS,
            DROPPED,
        )
        return [_metric(family, ()) for family in families]


def _metric(family: Family, samples: Iterable[Sample]) -> Metric:
    metric = Metric(family.base_name, family.text, family.type)
    for values, value in samples:
        labels = dict(zip(family.labels, map(printable, values), strict=True))
        metric.add_sample(family.name, labels, value)
    return metric


def _durations(calls: tuple[CallFacts, ...]) -> Metric:
    metric = _metric(REQUEST_SECONDS, ())
    for call in calls:
        labels = {"method": printable(call.method), "endpoint": printable(call.endpoint)}
        delays = DelayFacts(call.requests, call.seconds, call.bounds, call.buckets)
        _add(metric, REQUEST_SECONDS.name, labels, delays)
    return metric


def _delay(family: Family, delays: DelayFacts) -> Metric:
    """Of a family without labels."""
    metric = _metric(family, ())
    _add(metric, family.name, {}, delays)
    return metric


def _delays(family: Family, delays: Mapping[str, DelayFacts]) -> Metric:
    """By the family's one label."""
    metric = _metric(family, ())
    for value, found in sorted(delays.items()):
        _add(metric, family.name, {family.labels[0]: printable(value)}, found)
    return metric


def _add(metric: Metric, name: str, labels: dict[str, str], found: DelayFacts) -> None:
    held = accumulate(found.buckets)
    for bound, count in zip(found.bounds, held, strict=False):
        metric.add_sample(f"{name}_bucket", labels | {"le": str(float(bound))}, count)
    metric.add_sample(f"{name}_bucket", labels | {"le": "+Inf"}, found.count)
    metric.add_sample(f"{name}_count", labels, found.count)
    metric.add_sample(f"{name}_sum", labels, found.seconds)
