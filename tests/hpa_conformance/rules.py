"""Autoscaler settings as rules: behaviors, tunings, histories."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from monitor.model.history import Recommendation, ScaleEvent
from monitor.model.rule import (
    SCALE_DOWN_DEFAULT,
    SCALE_UP_DEFAULT,
    Behavior,
    Policy,
    PolicyType,
    SelectPolicy,
)
from monitor.model.tuning import HPA_TUNING, Tuning, UpscaleCap
from tests.hpa_conformance.pods import NOW

Case = Mapping[str, Any]
DEFAULT_TOLERANCE: Case = {"up": 0.1, "down": 0.1}
_POLICIES = {"Pods": PolicyType.REPLICAS, "Percent": PolicyType.PERCENT}


def behavior(rules: Case | None, default: Behavior, tolerance: float = 0.1) -> Behavior:
    """`rules` None: the production default of that direction."""
    if rules is None:
        return replace(default, tolerance=tolerance)
    window = rules.get("stabilizationWindowSeconds")
    return Behavior(
        stabilization_window=default.stabilization_window if window is None else float(window),
        policies=tuple(
            Policy(_POLICIES[policy["type"]], policy["value"], float(policy["periodSeconds"]))
            for policy in rules["policies"]
        ),
        tolerance=tolerance,
        select_policy=SelectPolicy((rules.get("selectPolicy") or "Max").lower()),
    )


def both(case: Case) -> tuple[Behavior, Behavior]:
    """scale_up and scale_down of a case, with its tolerances."""
    rules = case.get("behavior") or {}
    tolerance = case.get("tolerance") or DEFAULT_TOLERANCE
    return (
        behavior(rules.get("scaleUp"), SCALE_UP_DEFAULT, tolerance["up"]),
        behavior(rules.get("scaleDown"), SCALE_DOWN_DEFAULT, tolerance["down"]),
    )


def tuning(meta: Case, *, with_behavior: bool) -> Tuning:
    """The controller's with the constants of its tests."""
    constants = meta.get("constants_in_force", {})
    cap = UpscaleCap(
        float(constants.get("scaleUpLimitFactor", 8)),
        int(constants.get("scaleUpLimitMinimum", 4)),
    )
    return replace(
        HPA_TUNING,
        cpu_initialization_period=float(constants.get("cpuInitializationPeriodSeconds", 120)),
        initial_readiness_delay=float(constants.get("initialReadinessDelaySeconds", 10)),
        upscale_cap=None if with_behavior else cap,
    )


def recommendations(entries: Sequence[Case]) -> tuple[Recommendation, ...]:
    found = (Recommendation(NOW - entry["secondsAgo"], entry["replicas"]) for entry in entries)
    return tuple(sorted(found, key=lambda rec: rec.at))


def events(case: Case) -> tuple[ScaleEvent, ...]:
    ups = case.get("scaleUpEvents") or ()
    downs = case.get("scaleDownEvents") or ()
    found = [ScaleEvent(NOW - one["secondsAgo"], one["replicaChange"]) for one in ups]
    found += [ScaleEvent(NOW - one["secondsAgo"], -one["replicaChange"]) for one in downs]
    return tuple(sorted(found, key=lambda event: event.at))
