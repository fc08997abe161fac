"""Since when the conditions of a restart rule hold for each task.

Missing data neither starts nor satisfies a condition. A gap of up to GRACE seconds is bridged:
the condition counts as held on when it still holds afterwards, but does not act during the gap.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.decide.request import missing_request, request_of
from monitor.model.rule import AllOf, AnyOf, ConditionKind, TaskCondition, When
from monitor.model.service import Service
from monitor.model.usage import MetricKind, Sample

GRACE = 15.0  # seconds without data after which a condition counts as broken
STALE_AFTER = 5.0  # seconds: an older sample is a missing one
_GAP = "?"  # marks the time since when data is missing

KINDS = {
    ConditionKind.MEMORY_ABOVE: MetricKind.MEMORY,
    ConditionKind.CPU_ABOVE: MetricKind.CPU,
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition with its threshold in cores or bytes; None where nothing is set."""

    condition: TaskCondition
    threshold: float | None
    problem: str = ""

    @property
    def kind(self) -> MetricKind:
        return KINDS[self.condition.kind]

    def key(self, task_id: str) -> str:
        """For example `memory_above>=0.9@limit for 300|<task id>`."""
        of = f"@{self.condition.threshold.of}" if self.condition.threshold.of else ""
        value = f"{self.condition.threshold.value:g}{of}"
        return f"{self.condition.kind}>={value} for {self.condition.for_seconds:g}|{task_id}"


@dataclass(frozen=True, slots=True)
class Held:
    """One leaf on one task. `since` None: does not hold. `gap`: data is missing since then."""

    since: float | None = None
    gap: float | None = None

    def lasted(self, seconds: float, now: float) -> bool:
        return self.since is not None and self.gap is None and now - self.since >= seconds


def leaves(when: When, service: Service) -> tuple[Leaf, ...]:
    match when:
        case AnyOf(parts) | AllOf(parts):
            return tuple(leaf for part in parts for leaf in leaves(part, service))
        case TaskCondition():
            return (_leaf(when, service),)


def _leaf(condition: TaskCondition, service: Service) -> Leaf:
    value, of = condition.threshold.value, condition.threshold.of
    if of is None:
        return Leaf(condition, value)
    kind = KINDS[condition.kind]
    request = request_of(service, kind, of)
    if request is None:
        return Leaf(condition, None, missing_request(service, kind, of, value))
    return Leaf(condition, request[0] * value)


def observe(
    leaf: Leaf, task_id: str, sample: Sample | None, past: Mapping[str, float], now: float
) -> Held:
    """`past`: the rule's history of holding. "Above" includes the threshold itself."""
    if leaf.threshold is None:
        return Held()
    key = leaf.key(task_id)
    since = past.get(key)
    if sample is None or sample.age > STALE_AFTER or not math.isfinite(sample.value):
        gap = past.get(key + _GAP, now)
        return Held() if since is None or now - gap > GRACE else Held(since, gap)
    if sample.value >= leaf.threshold:
        return Held(now if since is None else since)
    return Held()


def entries(
    observed: Sequence[tuple[Leaf, str, Held]],
) -> tuple[tuple[str, float], ...]:
    """As the history keeps them, in an order that does not depend on the tasks' order."""
    kept: dict[str, float] = {}
    for leaf, task_id, held in observed:
        if held.since is not None:
            kept[leaf.key(task_id)] = held.since
        if held.gap is not None:
            kept[leaf.key(task_id) + _GAP] = held.gap
    return tuple(sorted(kept.items()))


def satisfied(when: When, held: Mapping[TaskCondition, Held], now: float) -> bool:
    """For one task: `any` one of its conditions, or `all` of them at once."""
    match when:
        case AnyOf(parts):
            return any(satisfied(part, held, now) for part in parts)
        case AllOf(parts):
            return bool(parts) and all(satisfied(part, held, now) for part in parts)
        case TaskCondition():
            return held[when].lasted(when.for_seconds, now)
