"""Every suite: what a case expects and what the core says, under the same keys."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.hpa_conformance.limit_suites import (
    behavior_rate,
    convert_without_behavior,
    scale_limits,
    stabilize_with_behavior,
    stabilize_without_behavior,
    store_scale_events,
)
from tests.hpa_conformance.pod_suites import (
    calculate_requests,
    group_pods,
    replica_calculator,
    utilization_ratio,
)
from tests.hpa_conformance.reconcile import reconcile
from tests.hpa_conformance.whole_suites import throughput, tolerance_sequence

Case = Mapping[str, Any]
Found = dict[str, object]
Suite = Callable[[Case, Case], tuple[Found, Found]]


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
