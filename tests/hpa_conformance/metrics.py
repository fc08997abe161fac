"""One metric of a case, asked of the core; and what it answered in the controller's words."""

from collections.abc import Mapping
from typing import Any

from monitor.decide.combine import Proposal, Source
from monitor.decide.measure import Mean, Share
from monitor.decide.proposal import (
    Counting,
    Fault,
    Tolerance,
    Wanted,
    from_average,
    from_value,
    per_task,
    total,
)
from monitor.decide.readiness import group
from monitor.model.tuning import Tuning
from tests.hpa_conformance import pods, rules
from tests.hpa_conformance.pods import NOW

Case = Mapping[str, Any]

# What the controller's text of each fault may hold.
ERRORS = {
    Fault.NO_SAMPLES: ("no metrics returned from", "unable to get"),
    Fault.NO_TASKS: ("no pods returned by selector while calculating replica count",),
    Fault.NONE_USABLE: ("did not receive metrics for targeted pods",),
    Fault.NO_MATCH: ("no metrics returned matched known pods",),
    Fault.MISSING_REQUEST: ("missing request for",),
    Fault.SOURCE_FAILED: ("unable to", "unable to get"),
    Fault.UNKNOWN_SOURCE: ("invalid metric source type", "unknown metric source type"),
}
DEFAULT_UTILIZATION = 80


def error(fault: Fault, expected: str | None) -> str:
    """`expected` itself where it says the same as the fault does, else the fault's own text."""
    texts = ERRORS[fault]
    return expected if expected and any(text in expected for text in texts) else texts[0]


def ask(metric: Case, case: Case, tuning: Tuning) -> Wanted | Fault:
    """`metric` of a case with pods, replicas and tolerances."""
    kind = metric["kind"]
    if kind == "unknown":
        return Fault.UNKNOWN_SOURCE
    if metric.get("fetchFails"):
        return Fault.SOURCE_FAILED
    stated = rules.tolerances(case, {})
    counting = Counting(
        current=case["currentReplicas"],
        tolerance=Tolerance(stated["down"], stated["up"]),
        noise=tuning.noise,
        strangers=tuning.strangers,
    )
    if kind.startswith(("resource", "container")) or kind == "pods":
        return _per_task(metric, case, tuning, counting)
    value = total(tuple(metric["values"]))
    if kind.endswith("_average"):
        running = case.get("statusReplicas", case["currentReplicas"])
        return from_average(value, metric["targetAverageValue"], running, counting)
    everyone = case.get("pods") or ()
    return from_value(value, metric["targetValue"], pods.ready(case), len(everyone), counting)


def _per_task(metric: Case, case: Case, tuning: Tuning, counting: Counting) -> Wanted | Fault:
    cpu = metric["kind"] != "pods" and metric.get("resource", "cpu") == "cpu"
    grouped = group(pods.all_facts(case), NOW, tuning, cpu=cpu)
    measure: Share | Mean
    if metric["kind"].endswith("_utilization"):
        target = metric.get("targetUtilizationPercent") or DEFAULT_UTILIZATION
        measure = Share(pods.requests(case), float(target), tuning.whole_percent)
    else:
        measure = Mean(metric["targetAverageValue"], tuning.whole_percent)
    return per_task(pods.values(case), grouped, measure, counting)


def source(metric: Case) -> Source:
    kind = metric["kind"]
    if kind.startswith("container") or metric.get("container"):
        return Source.CONTAINER_RESOURCE
    for name, found in (
        ("resource", Source.RESOURCE),
        ("pods", Source.PODS),
        ("object", Source.OBJECT),
        ("external", Source.EXTERNAL),
    ):
        if kind.startswith(name):
            return found
    return Source.UNKNOWN


def label(metric: Case) -> str:
    """The name under which the controller counts this metric."""
    found = source(metric)
    return str(metric["type"]) if found is Source.UNKNOWN else found.value


def spoken(metric: Case) -> str:
    """The metric's name in the controller's events."""
    if source(metric) is Source.RESOURCE:
        return f"{metric['resource']} resource utilization (percentage of request)"
    if source(metric) is Source.CONTAINER_RESOURCE:
        return f"{metric['resource']} container resource utilization (percentage of request)"
    return f"{source(metric).value.lower()} metric {metric.get('name', '')}"


def proposal(metric: Case, case: Case, tuning: Tuning) -> Proposal:
    return Proposal(spoken(metric), source(metric), ask(metric, case, tuning), spoken(metric))
