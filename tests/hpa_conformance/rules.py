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
_POLICIES = {"Pods": PolicyType.REPLICAS, "Percent": PolicyType.PERCENT}


def defaults(meta: Case) -> tuple[Behavior, Behavior]:
    """scale_up and scale_down of a controller with the constants of its tests."""
    constants = meta.get("constants_in_force", {})
    window = constants.get("downscaleStabilizationSeconds")
    if window is None:
        return SCALE_UP_DEFAULT, SCALE_DOWN_DEFAULT
    return SCALE_UP_DEFAULT, replace(SCALE_DOWN_DEFAULT, stabilization_window=float(window))


def behavior(rules: Case | None, default: Behavior, tolerance: float = 0.1) -> Behavior:
    """What `rules` leaves out, or all of it where it is None, is the default of that direction."""
    rules = rules or {}
    window, policies = rules.get("stabilizationWindowSeconds"), rules.get("policies")
    stated = rules.get("tolerance")
    return Behavior(
        stabilization_window=default.stabilization_window if window is None else float(window),
        policies=default.policies
        if policies is None
        else tuple(
            Policy(_POLICIES[policy["type"]], policy["value"], float(policy["periodSeconds"]))
            for policy in policies
        ),
        tolerance=tolerance if stated is None else stated,
        select_policy=SelectPolicy((rules.get("selectPolicy") or "Max").lower()),
    )


def both(case: Case, meta: Case) -> tuple[Behavior, Behavior]:
    """scale_up and scale_down of a case, with its tolerances."""
    rules = case.get("behavior") or {}
    tolerance = tolerances(case, meta)
    up, down = defaults(meta)
    return (
        behavior(rules.get("scaleUp"), up, tolerance["up"]),
        behavior(rules.get("scaleDown"), down, tolerance["down"]),
    )


def tolerances(case: Case, meta: Case) -> Case:
    """`up` and `down`: of the behavior of a direction, else of the case, else the controller's."""
    everywhere = meta.get("constants_in_force", {}).get("tolerance", 0.1)
    found = {"up": everywhere, "down": everywhere, **(case.get("tolerance") or {})}
    for direction, name in (("up", "scaleUp"), ("down", "scaleDown")):
        own = ((case.get("behavior") or {}).get(name) or {}).get("tolerance")
        found[direction] = found[direction] if own is None else own
    return found


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
