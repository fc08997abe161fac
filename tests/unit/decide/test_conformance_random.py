"""Random cases in the format of the published ones: the core against the arithmetic itself."""

from hypothesis import given
from hypothesis import strategies as st

from tests.hpa_conformance.run import run_case
from tests.unit.decide import hpa_reference
from tests.unit.decide.examples import many

MANY = many()
META = {
    "constants_in_force": {
        "cpuInitializationPeriodSeconds": 120,
        "initialReadinessDelaySeconds": 10,
        "downscaleStabilizationSeconds": 300,
        "scaleUpLimitFactor": 8,
        "scaleUpLimitMinimum": 4,
    }
}


def named(pods):
    return [{**pod, "name": f"pod-{place}"} for place, pod in enumerate(pods)]


phases = st.sampled_from([*["Running"] * 8, "Pending", "Failed"])
tolerances = st.fixed_dictionaries(
    {"down": st.sampled_from([0.0, 0.1, 0.25]), "up": st.sampled_from([0.0, 0.1, 0.5])}
)
amounts = st.integers(0, 2000) | st.sampled_from([0, 500, 550, 1000])
pods = st.lists(
    st.fixed_dictionaries(
        {
            "phase": phases,
            "ready": st.sampled_from([True, True, True, False]),
            "startedSecondsAgo": st.sampled_from([None, None, 0, 60, 119, 120, 180]),
            "readyTransition": st.sampled_from(["never(zero time)", "== start time"]),
            "deleting": st.sampled_from([False] * 7 + [True]),
            "request": st.sampled_from([*[1000] * 12, 500, 2000, None]),
            "usage": amounts | amounts | st.none(),
        }
    ),
    max_size=8,
).map(named)
strangers = st.lists(amounts, max_size=2).map(
    lambda found: [{"name": f"stranger-{n}", "usage": one} for n, one in enumerate(found)]
)
resources = st.fixed_dictionaries(
    {
        "kind": st.just("resource_utilization"),
        "resource": st.sampled_from(["cpu", "cpu", "memory"]),
        "container": st.just(None),
        "targetUtilizationPercent": st.integers(1, 150) | st.just(50),
    }
)
averages = st.fixed_dictionaries(
    {"kind": st.just("pods"), "name": st.just("qps"), "targetAverageValue": st.integers(1, 1500)}
)
totals = st.builds(
    lambda kind, target, values: {
        "kind": kind,
        "name": "qps",
        ("targetAverageValue" if kind.endswith("average") else "targetValue"): target,
        "values": values,
    },
    st.sampled_from(["object_value", "object_average", "external_value", "external_average"]),
    st.integers(1, 5000),
    st.lists(st.integers(0, 20000), min_size=1, max_size=2),
)
metrics = st.one_of(resources, resources, averages, totals)
setting = {
    "currentReplicas": st.integers(0, 12),
    "pods": pods,
    "metricsForUnknownPods": st.just([]) | strangers,
    "tolerance": tolerances,
    "sample": st.fixed_dictionaries(
        {
            "timestamp": st.sampled_from(["now", "zero time"]),
            "windowSeconds": st.sampled_from([0, 30, 60, 90]),
        }
    ),
}
policies = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["Pods", "Percent"]),
            "value": st.integers(1, 300),
            "periodSeconds": st.sampled_from([15, 60, 120]),
        }
    ),
    max_size=3,
)
directions = st.none() | st.fixed_dictionaries(
    {
        "stabilizationWindowSeconds": st.sampled_from([0, 60, 300]),
        "selectPolicy": st.sampled_from(["Max", "Max", "Min", "Disabled"]),
        "policies": policies,
    }
)
behaviors = st.fixed_dictionaries({"scaleUp": directions, "scaleDown": directions})
events = st.lists(
    st.fixed_dictionaries({"replicaChange": st.integers(1, 50), "secondsAgo": st.integers(0, 130)}),
    max_size=3,
)
recommendations = st.lists(
    st.fixed_dictionaries({"replicas": st.integers(0, 20), "secondsAgo": st.integers(1, 700)}),
    max_size=5,
)


def check(suite, case):
    result = run_case(suite, {"name": "random", "suite": suite, **case}, META)
    assert result.passed, (result.expected, result.got)


@MANY
@given(metrics, st.fixed_dictionaries(setting), st.integers(-2, 2))
def test_replica_calculations(metric, case, surge):
    """Replicas, level and average of one metric, or the error it ends with."""
    case = {**case, "metric": metric, "statusReplicas": max(0, case["currentReplicas"] + surge)}
    found = hpa_reference.proposal(case, metric)
    if isinstance(found, str):
        check("replica_calculator", {**case, "expectedDesiredReplicas": None,
                                     "expectedError": found})  # fmt: skip
        return
    replicas, level, average = found
    expected = {"expectedDesiredReplicas": replicas, "expectedError": None}
    if level is not None:
        expected["expectedRawAverage"] = average
        if metric["kind"] == "resource_utilization":
            expected["expectedUtilizationPercent"] = level
    check("replica_calculator", {**case, **expected})


@MANY
@given(
    behaviors, events, events, st.integers(0, 300), st.integers(0, 300), st.integers(0, 5),
    st.integers(0, 400),
)  # fmt: skip
def test_rates_and_bounds(behavior, ups, downs, current, desired, least, span):
    """The rates of any behavior after any changes, and which limit bound."""
    case = {
        "behavior": behavior,
        "scaleUpEvents": ups,
        "scaleDownEvents": downs,
        "currentReplicas": current,
        "desiredReplicas": desired,
        "minReplicas": least,
        "maxReplicas": least + span,
    }
    replicas, reason = hpa_reference.rated(case, desired)
    check("behavior_rate", {**case, "expectedDesiredReplicas": replicas, "expectedReason": reason})


@MANY
@given(
    st.integers(0, 300), st.integers(0, 3000), st.integers(0, 5), st.integers(0, 400),
)  # fmt: skip
def test_growth_without_behavior(current, desired, least, span):
    """The cap on one step's growth."""
    case = {
        "currentReplicas": current,
        "desiredReplicas": desired,
        "minReplicas": least,
        "maxReplicas": least + span,
        "scaleUpLimitFactor": 8,
        "scaleUpLimitMinimum": 4,
    }
    replicas, reason = hpa_reference.capped(case, desired)
    check("convert_without_behavior",
          {**case, "expectedDesiredReplicas": replicas, "expectedReason": reason})  # fmt: skip


@MANY
@given(
    recommendations, st.integers(0, 20), st.integers(0, 20), st.sampled_from([0, 60, 300]),
    st.sampled_from([0, 60, 300]),
)  # fmt: skip
def test_stabilization(past, current, desired, up, down):
    """Both windows over any recommendations."""
    behavior = {
        "scaleUp": {"stabilizationWindowSeconds": up},
        "scaleDown": {"stabilizationWindowSeconds": down},
    }
    case = {"recommendations": past, "currentReplicas": current, "behavior": behavior}
    expected = hpa_reference.stabilized(case, desired)
    check(
        "stabilize_with_behavior",
        {
            **case,
            "desiredReplicas": desired,
            "scaleUpStabilizationWindowSeconds": up,
            "scaleDownStabilizationWindowSeconds": down,
            "expectedStabilizedReplicas": expected,
        },
    )


@many(500)
@given(
    st.fixed_dictionaries(setting),
    st.lists(metrics, min_size=1, max_size=2),
    st.none() | behaviors,
    st.just("nil") | recommendations,
    events,
    st.sampled_from([0, 1, 2, 3]),
    st.integers(0, 20),
)
def test_reconciliations(case, asked, behavior, past, ups, least, span):
    """A whole reconciliation: replicas and conditions."""
    case = {
        **case,
        "statusReplicas": case["currentReplicas"],
        "metrics": asked,
        "behavior": behavior,
        "recommendations": past,
        "scaleUpEvents": ups,
        "scaleDownEvents": [],
        "minReplicas": least,
        "maxReplicas": max(1, least + span),
    }
    replicas, conditions = hpa_reference.reconcile(case)
    current = case["currentReplicas"]
    action = "scale_up" if replicas > current else "scale_down" if replicas < current else "none"
    check(
        "reconcile",
        {
            **case,
            "expectedDesiredReplicas": replicas,
            "expectedReconcileAction": action,
            "expectedConditions": [
                {"type": kind, "status": status, "reason": reason}
                for kind, status, reason in conditions
            ],
        },
    )


def test_a_rise_from_zero_obeys_its_policies():
    """Without activation no first replica is given where the policies allow none."""
    pod = {
        "name": "pod-0", "phase": "Running", "ready": True, "startedSecondsAgo": 180,
        "readyTransition": "never(zero time)", "deleting": False, "request": 1000, "usage": 716,
    }  # fmt: skip
    up = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": []}
    check(
        "reconcile",
        {
            "currentReplicas": 0,
            "statusReplicas": 0,
            "pods": [pod],
            "metricsForUnknownPods": [],
            "tolerance": {"up": 0.1, "down": 0.1},
            "sample": {"timestamp": "now", "windowSeconds": 90},
            "metrics": [{"kind": "pods", "name": "qps", "targetAverageValue": 1}],
            "behavior": {"scaleUp": up, "scaleDown": None},
            "recommendations": "nil",
            "scaleUpEvents": [],
            "scaleDownEvents": [],
            "minReplicas": 0,
            "maxReplicas": 2,
            "expectedDesiredReplicas": 0,
            "expectedReconcileAction": "none",
        },
    )
