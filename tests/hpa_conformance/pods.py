"""Pods as tasks: what the cases say of pods, in the core's terms."""

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.decide.readiness import TaskFacts

NOW = 1_000_000.0
ZERO_TIME = -1e12  # Go's zero time: finite, so that adding a window to it still tells

Case = Mapping[str, Any]


def facts(pod: Case, sample: Case | None, usage: float | None) -> TaskFacts:
    """`sample`: the case's timestamp and window of its samples; `usage` None: no sample."""
    started = _ago(pod.get("startedSecondsAgo"))
    return TaskFacts(
        id=pod["name"],
        gone=bool(pod.get("deleting")) or pod.get("phase") == "Failed",
        running=pod.get("phase") != "Pending",
        ready=pod["readyCondition"] if "readyCondition" in pod else bool(pod.get("ready")),
        started_at=started,
        ready_since=_transition(pod, started),
        sampled_at=None if usage is None else _timestamp(sample),
        window=float((sample or {}).get("windowSeconds") or 0.0),
    )


def all_facts(case: Case) -> list[TaskFacts]:
    return [facts(pod, case.get("sample"), pod.get("usage")) for pod in case.get("pods") or ()]


def ready(case: Case) -> int:
    """Pods that run and are ready, as the controller counts them: also while they are deleted."""
    return sum(
        pod.get("phase", "Running") == "Running" and bool(facts(pod, None, None).ready)
        for pod in case.get("pods") or ()
    )


def values(case: Case) -> dict[str, int]:
    """Samples by pod, those of pods nobody knows included."""
    samples: Sequence[Case] = [
        *(case.get("pods") or ()),
        *(case.get("metricsForUnknownPods") or ()),
    ]
    return {one["name"]: one["usage"] for one in samples if one.get("usage") is not None}


def requests(case: Case) -> dict[str, int | None]:
    return {pod["name"]: pod.get("request") for pod in case.get("pods") or ()}


def _transition(pod: Case, started: float) -> float:
    if "readyTransitionSecondsAgo" in pod:
        return _ago(pod["readyTransitionSecondsAgo"])
    return started if pod.get("readyTransition") == "== start time" else ZERO_TIME


def _timestamp(sample: Case | None) -> float:
    if sample is None:
        return NOW
    if "sampleAgeSeconds" in sample:
        return _ago(sample["sampleAgeSeconds"])
    return NOW if sample.get("timestamp") == "now" else ZERO_TIME


def _ago(seconds: float | None) -> float:
    return ZERO_TIME if seconds is None else NOW - seconds
