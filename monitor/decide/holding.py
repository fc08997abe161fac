"""Since when what is measured of a restart rule's tasks, or of its service, holds.

Missing data neither starts nor satisfies a condition. A gap of up to GRACE seconds is bridged:
the condition counts as held on when it still holds afterwards, but does not act during the gap.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from monitor.decide.request import missing_request, request_of
from monitor.model.rule import ConditionKind, TaskCondition
from monitor.model.service import Service
from monitor.model.usage import MetricKind, Sample

GRACE = 15.0  # seconds without data after which a condition counts as broken
STALE_AFTER = 5.0  # seconds: an older sample is a missing one
_GAP = "?"  # marks the time since when data is missing

KINDS = {
    ConditionKind.MEMORY_ABOVE: MetricKind.MEMORY,
    ConditionKind.CPU_ABOVE: MetricKind.CPU,
    ConditionKind.CPU_BELOW: MetricKind.CPU,
}

Entries = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Held:
    """One condition on one task. `since` None: does not hold. `gap`: data is missing since then."""

    since: float | None = None
    gap: float | None = None

    def lasted(self, seconds: float, now: float) -> bool:
        return self.since is not None and self.gap is None and now - self.since >= seconds

    def entries(self, key: str) -> Entries:
        """As the history keeps it."""
        found = [] if self.since is None else [(key, self.since)]
        return (*found, (key + _GAP, self.gap)) if self.gap is not None else tuple(found)

    def recheck(self, seconds: float, now: float) -> float | None:
        """Until it may have lasted for `seconds`, or the gap becomes too long."""
        if self.gap is not None:
            wait = self.gap + GRACE - now
        elif self.since is not None:
            wait = self.since + seconds - now
        else:
            return None
        return wait if wait > 0 else None


def held(key: str, beyond: bool | None, past: Mapping[str, float], now: float) -> Held:
    """beyond: whether it holds at this moment; None: nobody knows. `past`: as kept before."""
    since = past.get(key)
    if beyond is None:
        gap = past.get(key + _GAP, now)
        return Held() if since is None or now - gap > GRACE else Held(since, gap)
    return Held(now if since is None else since) if beyond else Held()


@dataclass(frozen=True, slots=True)
class Bound:
    """A condition's bound in cores or bytes; None where it is a share of what is not set."""

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
        sign = "<=" if self.condition.kind.below else ">="
        return f"{self.condition.kind}{sign}{value} for {self.condition.for_seconds:g}|{task_id}"

    def observe(
        self, task_id: str, sample: Sample | None, past: Mapping[str, float], now: float
    ) -> Held:
        """Beyond includes the bound itself."""
        if self.threshold is None:
            return Held()
        if sample is None or sample.age > STALE_AFTER or not math.isfinite(sample.value):
            return held(self.key(task_id), None, past, now)
        below = self.condition.kind.below
        beyond = sample.value <= self.threshold if below else sample.value >= self.threshold
        return held(self.key(task_id), beyond, past, now)


def bound_of(condition: TaskCondition, service: Service) -> Bound:
    value, of = condition.threshold.value, condition.threshold.of
    if of is None:
        return Bound(condition, value)
    kind = KINDS[condition.kind]
    request = request_of(service, kind, of)
    if request is None:
        return Bound(condition, None, missing_request(service, kind, of, value))
    return Bound(condition, request[0] * value)
