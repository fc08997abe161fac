"""Suites that let the core decide many times: a thousand rules, a rule over several steps."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitor.decide import decide
from monitor.decide.scale import settle
from monitor.model.action import ScaleTo
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.rule import Basis, Metric, Quantity
from monitor.model.task import Task, TaskState
from monitor.model.usage import MetricKind, Sample, Usage
from tests.hpa_conformance import metrics, rules
from tests.hpa_conformance.pods import NOW
from tests.hpa_conformance.reconcile import VERSION, rule_of, view_of

Case = Mapping[str, Any]
Found = dict[str, object]


def throughput(case: Case, meta: Case) -> tuple[Found, Found]:
    """As many rules as the case has autoscalers, decided one after the other by one process."""
    cpu = Metric(
        "cpu", MetricKind.CPU, Quantity(case["targetUtilizationPercent"] / 100, Basis.AUTO)
    )
    rule = replace(rule_of(case, meta), metrics=(cpu,))
    view = view_of(case["podsPerTarget"])
    tasks = tuple(
        Task(f"t{slot}", "target", slot, "n", TaskState.RUNNING, TaskState.RUNNING, 0.0, 0.0)
        for slot in range(1, case["podsPerTarget"] + 1)
    )
    service = replace(view.service, cpu_reservation=case["podRequest"] / 1000)
    view = replace(view, service=service, tasks=tasks)
    usage = Usage({"cpu": {task.id: Sample(case["podUsage"] / 1000, 0.0) for task in tasks}})
    history = History(started=True, events=rules.events(case), own_version=VERSION)
    began = time.perf_counter()
    decided = 0
    for _ in range(case["autoscalers"]):
        decided += decide(rule, view, usage, history, Now(NOW, 0.0)).desired is not None
    within = time.perf_counter() - began < case["timeoutSeconds"]
    return (
        {"decided": case["autoscalers"], "in time": True},
        {"decided": decided, "in time": within},
    )


def tolerance_sequence(case: Case, meta: Case) -> tuple[Found, Found]:
    """Each step starts from the last one's size, long after its windows have passed."""
    replicas = case["initialReplicas"]
    expected: Found = {}
    found: Found = {}
    for step in case["steps"]:
        asked = {**case["metric"], "values": step.get("values", [step["value"]])}
        state = {**case, "currentReplicas": replicas, "statusReplicas": replicas, "pods": []}
        rule = rule_of({**state, "behavior": case.get("behavior") or {}}, meta)
        one = metrics.proposal(asked, state, rule.tuning)
        history = History(started=True, own_version=VERSION)
        decision = settle(rule, view_of(replicas), lambda one=one: ((one,), ()), history,
                          Now(NOW, 0.0))  # fmt: skip
        if isinstance(decision.action, ScaleTo):
            replicas = decision.action.replicas
        expected[step["name"]] = step["expectedReplicas"]
        found[step["name"]] = replicas
    return expected, found
