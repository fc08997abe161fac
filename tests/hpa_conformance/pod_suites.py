"""Suites on pods: which of them count, and how many replicas a metric asks for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitor.decide.measure import Mean, Share
from monitor.decide.proposal import Fault
from monitor.decide.readiness import group
from monitor.decide.request import request_of
from monitor.model.rule import Basis
from monitor.model.service import Service, ServiceMode
from monitor.model.usage import MetricKind
from tests.hpa_conformance import metrics, pods, rules
from tests.hpa_conformance.pods import NOW

Case = Mapping[str, Any]
Found = dict[str, object]


def replica_calculator(case: Case, meta: Case) -> tuple[Found, Found]:
    answer = metrics.ask(case["metric"], case, rules.tuning(meta, with_behavior=True))
    expected = {key: value for key, value in case.items() if key.startswith("expected")}
    if isinstance(answer, Fault):
        found: Found = dict.fromkeys(expected)
        found["expectedError"] = metrics.error(answer, case.get("expectedError"))
        return expected, found
    level = answer.level
    found = {
        "expectedDesiredReplicas": answer.replicas,
        "expectedUtilizationPercent": level.level,
        "expectedRawAverage": level.average,
        "expectedUsage": level.average,
        "expectedError": None,
    }
    return expected, {key: found.get(key) for key in expected}


def group_pods(case: Case, meta: Case) -> tuple[Found, Found]:
    tuning = replace(
        rules.tuning(meta, with_behavior=True),
        cpu_initialization_period=float(case["cpuInitializationPeriodSeconds"]),
        initial_readiness_delay=float(case["initialReadinessDelaySeconds"]),
    )
    samples = case["metrics"]
    found = group(
        [
            pods.facts(
                pod,
                samples.get(pod["name"]),
                samples[pod["name"]]["value"] if pod["name"] in samples else None,
            )
            for pod in case["pods"]
        ],
        NOW,
        tuning,
        cpu=case["resource"] == "cpu",
    )
    expected: Found = {
        "ready": case["expectedReadyCount"],
        "unready": sorted(case["expectedUnready"]),
        "missing": sorted(case["expectedMissing"]),
        "ignored": sorted(case["expectedIgnored"]),
    }
    return expected, {
        "ready": len(found.ready),
        "unready": sorted(found.unready),
        "missing": sorted(found.missing),
        "ignored": sorted(found.ignored),
    }


def utilization_ratio(case: Case, meta: Case) -> tuple[Found, Found]:
    expected = {key: value for key, value in case.items() if key.startswith("expected")}
    measure = (
        Share(case["requests"], float(case["targetUtilizationPercent"]), True)
        if "requests" in case
        else Mean(case["targetAverageValue"], True)
    )
    level = measure.level(case["metrics"])
    found: Found = {
        "expectedRatio": 0 if level is None else level.ratio,
        "expectedUtilizationPercent": 0 if level is None else level.level,
        "expectedRawAverage": 0 if level is None else level.average,
        "expectedUsage": 0 if level is None else level.average,
        "expectedError": metrics.error(Fault.NO_MATCH, case.get("expectedError"))
        if level is None
        else None,
    }
    return expected, {key: found.get(key) for key in expected}


def calculate_requests(case: Case, meta: Case) -> tuple[Found, Found]:
    """A container is a task of a service of its own; a pod's request is their sum."""
    wanted = case.get("containerFilter") or ""
    everyone = {**case["containers"], **(case.get("restartableInitContainers") or {})}
    chosen = {name: cpu for name, cpu in everyone.items() if wanted in ("", name)}
    whole = case.get("podLevelRequest") if case.get("podLevelResourcesFeature") else None
    if whole is not None and not wanted:
        chosen = {"pod": whole}
    found, error = 0, None
    for name, cpu in chosen.items():
        service = Service(
            id=name, name=name, version=1, mode=ServiceMode.REPLICATED, replicas=1,
            template="", cpu_reservation=cpu,
        )  # fmt: skip
        request = request_of(service, MetricKind.CPU, Basis.AUTO)
        if request is None:
            error = f"missing request for cpu in container {name} of Pod test-pod"
            break
        found += round(request[0])
    return (
        {"request": case["expectedRequest"], "error": case["expectedError"]},
        {"request": None if error else found, "error": error},
    )
