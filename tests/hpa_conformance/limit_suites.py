"""Suites on what holds a change back: stabilization, rates, bounds, remembered changes."""

from collections.abc import Mapping
from typing import Any

from monitor.decide.bounds import Range, restrain, restrain_capped
from monitor.decide.history import with_event, with_recommendation
from monitor.decide.rates import change_in, down_limit, up_limit
from monitor.decide.stabilize import stabilize, stabilize_down
from monitor.model.history import ScaleEvent
from monitor.model.tuning import HPA_TUNING, UpscaleCap
from tests.hpa_conformance import rules
from tests.hpa_conformance.pods import NOW

Case = Mapping[str, Any]
Found = dict[str, object]


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
    default = rules.defaults(meta)[0 if up else 1]
    behavior = rules.behavior(case.get("rules"), default)
    limit = (up_limit if up else down_limit)(
        case["currentReplicas"], rules.events(case), behavior, NOW, HPA_TUNING.noise
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
    up, down = rules.both(case, meta)
    found = restrain(
        case["currentReplicas"],
        case["desiredReplicas"],
        Range(case["minReplicas"], case["maxReplicas"]),
        up=up,
        down=down,
        events=rules.events(case),
        now=NOW,
        noise=HPA_TUNING.noise,
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
    stated_policies = (stated or {}).get("policies") or ()
    longest = max((float(one["periodSeconds"]) for one in stated_policies), default=0.0)
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
