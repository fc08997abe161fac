"""Each suite of cases: what is expected and what the core says, under the same keys."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from monitor.decide import decide
from monitor.decide.bounds import Range, restrain, restrain_capped
from monitor.decide.history import with_event, with_recommendation
from monitor.decide.measure import Mean, Share
from monitor.decide.proposal import Fault
from monitor.decide.rates import change_in, down_limit, up_limit
from monitor.decide.readiness import group
from monitor.decide.request import request_of
from monitor.decide.scale import settle
from monitor.decide.stabilize import stabilize, stabilize_down
from monitor.model.action import ScaleTo
from monitor.model.history import History, ScaleEvent
from monitor.model.now import Now
from monitor.model.rule import (
    SCALE_DOWN_DEFAULT,
    SCALE_UP_DEFAULT,
    Basis,
    Metric,
    Quantity,
)
from monitor.model.service import Service, ServiceMode
from monitor.model.task import Task, TaskState
from monitor.model.tuning import UpscaleCap
from monitor.model.usage import MetricKind, Sample, Usage
from tests.hpa_conformance import metrics, pods, rules
from tests.hpa_conformance.pods import NOW
from tests.hpa_conformance.reconcile import VERSION, reconcile, rule_of, view_of

Case = Mapping[str, Any]
Found = dict[str, object]
Suite = Callable[[Case, Case], tuple[Found, Found]]


def replica_calculator(case: Case, meta: Case) -> tuple[Found, Found]:
    answer = metrics.ask(case["metric"], case, rules.tuning(meta, with_behavior=True))
    expected = {key: value for key, value in case.items() if key.startswith("expected")}
    if isinstance(answer, Fault):
        text = metrics.ERRORS[answer]
        wanted = case["expectedError"]
        found: Found = dict.fromkeys(expected)
        found["expectedError"] = wanted if wanted is not None and text in wanted else text
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
        "expectedError": metrics.ERRORS[Fault.NO_MATCH] if level is None else None,
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


def convert_without_behavior(case: Case, meta: Case) -> tuple[Found, Found]:
    bounds = Range(case["minReplicas"], case["maxReplicas"])
    cap = UpscaleCap(float(case["scaleUpLimitFactor"]), case["scaleUpLimitMinimum"])
    found = restrain_capped(case["currentReplicas"], case["desiredReplicas"], bounds, cap)
    return (
        {"replicas": case["expectedDesiredReplicas"], "reason": case["expectedReason"]},
        {"replicas": found.bounded, "reason": found.binding.value},
    )


def scale_limits(case: Case, meta: Case) -> tuple[Found, Found]:
    up = case["direction"] == "up"
    behavior = rules.behavior(case["rules"], SCALE_UP_DEFAULT if up else SCALE_DOWN_DEFAULT)
    limit = (up_limit if up else down_limit)(
        case["currentReplicas"], rules.events(case), behavior, NOW
    )
    return {"limit": case["expectedLimit"]}, {"limit": limit.replicas}


def stabilize_without_behavior(case: Case, meta: Case) -> tuple[Found, Found]:
    past = rules.recommendations(case["recommendations"])
    window = float(case["downscaleStabilizationSeconds"])
    found = stabilize_down(past, case["desiredReplicas"], window, NOW)
    return {"replicas": case["expectedStabilizedReplicas"]}, {"replicas": found.value}


def stabilize_with_behavior(case: Case, meta: Case) -> tuple[Found, Found]:
    """Stabilized over the history as it was kept, so that what was dropped would show."""
    past: tuple[Any, ...] = ()
    for rec in rules.recommendations(case["recommendations"]):
        past = with_recommendation(past, rec.replicas, rec.at)
    found = stabilize(
        past,
        case["currentReplicas"],
        case["desiredReplicas"],
        up_window=float(case["scaleUpStabilizationWindowSeconds"]),
        down_window=float(case["scaleDownStabilizationWindowSeconds"]),
        now=NOW,
    )
    newest = with_recommendation(past, case["desiredReplicas"], NOW)[-1]
    return (
        {"replicas": case["expectedStabilizedReplicas"], "newest": case["desiredReplicas"]},
        {"replicas": found.value, "newest": newest.replicas},
    )


def behavior_rate(case: Case, meta: Case) -> tuple[Found, Found]:
    up, down = rules.both(case)
    found = restrain(
        case["currentReplicas"],
        case["desiredReplicas"],
        Range(case["minReplicas"], case["maxReplicas"]),
        up=up,
        down=down,
        events=rules.events(case),
        now=NOW,
    )
    return (
        {"replicas": case["expectedDesiredReplicas"], "reason": case["expectedReason"]},
        {"replicas": found.bounded, "reason": found.binding.value},
    )


def store_scale_events(case: Case, meta: Case) -> tuple[Found, Found]:
    """Once upwards and once downwards; the slots of the kept events do not matter."""
    expected: Found = {}
    found: Found = {}
    stated = case["rules"]
    longest = max((float(one["periodSeconds"]) for one in (stated or {}).get("policies", ())),
                  default=0.0)  # fmt: skip
    for sign in (1, -1):
        before = tuple(
            ScaleEvent(NOW - one["secondsAgo"], sign * one["replicaChange"])
            for one in sorted(case["prevEvents"], key=lambda one: -one["secondsAgo"])
        )
        after = with_event(before, sign * case["replicaChange"], NOW, longest)
        counted = change_in(before, float(case["changeCountedOverPeriodSeconds"]), NOW)
        expected[f"counted {sign}"] = case["expectedChangeInPeriodBefore"]
        found[f"counted {sign}"] = sign * counted
        expected[f"after {sign}"] = sorted(
            one["replicaChange"] for one in case["expectedEventsAfter"]
        )
        found[f"after {sign}"] = sorted(sign * event.change for event in after)
    return expected, found


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


def supplement(case: Case, meta: Case) -> tuple[Found, Found]:
    return SUITES[case["kind"]](case, meta)


SUITES: Mapping[str, Suite] = {
    "replica_calculator": replica_calculator,
    "group_pods": group_pods,
    "utilization_ratio": utilization_ratio,
    "calculate_requests": calculate_requests,
    "reconcile": reconcile,
    "convert_without_behavior": convert_without_behavior,
    "scale_limits": scale_limits,
    "stabilize_without_behavior": stabilize_without_behavior,
    "stabilize_with_behavior": stabilize_with_behavior,
    "behavior_rate": behavior_rate,
    "store_scale_events": store_scale_events,
    "supplement": supplement,
    "throughput": throughput,
    "tolerance_sequence": tolerance_sequence,
}
