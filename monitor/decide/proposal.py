"""How many replicas one metric asks for, before anything else is considered.

The algorithm is HorizontalPodAutoscaler's (replica_calculator.go): the ratio of usage to
target times the tasks that were measured, rounded up, unless the ratio is within tolerance.
Tasks without a usable sample are filled in so that they can only hold a change back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.decide import rounding
from monitor.decide.measure import Level, Measure
from monitor.decide.readiness import Group
from monitor.model.tuning import Count

_MAX_VALUE = 2**63 - 1


class Fault(StrEnum):
    """Why a metric asks for nothing."""

    NO_SAMPLES = "no_samples"  # not one sample, of whatever task
    NO_TASKS = "no_tasks"
    NONE_USABLE = "none_usable"  # samples, but only of tasks that do not count (yet)
    NO_MATCH = "no_match"  # samples, but of none of the service's tasks
    MISSING_REQUEST = "missing_request"
    SOURCE_FAILED = "source_failed"
    UNKNOWN_SOURCE = "unknown_source"


class Held(StrEnum):
    """What kept a change back although the ratio is out of tolerance."""

    MISSING = "missing"
    UNREADY = "unready"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Shares (0.1) of the target by which usage may be off without any change; inclusive."""

    down: float
    up: float

    def holds(self, ratio: float) -> bool:
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@dataclass(frozen=True, slots=True)
class Counting:
    """`current`: the replicas in force. The last three: see Tuning."""

    current: int
    tolerance: Tolerance
    count: Count = Count.READY
    never_against_load: bool = False
    noise: float = 0.0
    strangers: bool = False

    def tasks(self, measured: int) -> int:
        return self.current if self.count is Count.REPLICAS else measured

    def against(self, ratio: float, replicas: int) -> bool:
        """Whether `replicas` goes the other way than the load does."""
        return (ratio < 1.0 and replicas > self.current) or (
            ratio > 1.0 and replicas < self.current
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """replicas: after tolerance and fill-in. raw: what the ratio alone asks for."""

    replicas: int
    raw: int
    level: Level
    held: Held | None = None


def per_task(
    values: Mapping[str, int], tasks: Group, measure: Measure, counting: Counting
) -> Wanted | Fault:
    """`values`: every sample there is, by task id, of unknown tasks too.

    Worked example: 2 ready tasks at 95 % of a target of 50 %: ratio 1.9, 4 replicas. With a
    third task that still starts it counts as using nothing: ratio 1.27, again 4.
    """
    known = {task: values[task] for task in tasks.ready}
    if counting.strangers:
        known.update(_of_strangers(values, tasks))
    level = measure.level(known)
    if level is None or not any(tasks.everyone):
        return _fault(values, tasks, measure)
    if any(measure.lacks(members) for members in tasks.everyone):
        return Fault.MISSING_REQUEST
    starting = bool(tasks.unready) and level.ratio > 1.0
    if tasks.missing or starting:
        return _filled_in(known, tasks, measure, level, counting)
    raw = rounding.up(level.ratio * counting.tasks(len(tasks.ready)), counting.noise)
    if counting.tolerance.holds(level.ratio) or (
        counting.never_against_load and counting.against(level.ratio, raw)
    ):
        return Wanted(counting.current, raw, level)
    return Wanted(raw, raw, level)


def _of_strangers(values: Mapping[str, int], tasks: Group) -> dict[str, int]:
    ours = {task for members in tasks.everyone for task in members}
    return {task: value for task, value in values.items() if task not in ours}


def _fault(values: Mapping[str, int], tasks: Group, measure: Measure) -> Fault:
    if not values:
        return Fault.NO_SAMPLES
    if not any(tasks.everyone):
        return Fault.NO_TASKS
    if not set(values) - set(tasks.unready) - set(tasks.ignored):
        return Fault.NONE_USABLE
    if any(measure.lacks(members) for members in tasks.everyone):
        return Fault.MISSING_REQUEST
    return Fault.NO_MATCH


def _filled_in(
    known: Mapping[str, int], tasks: Group, measure: Measure, level: Level, counting: Counting
) -> Wanted:
    """Missing tasks use all they may while load looks low, nothing while it looks high.

    Starting tasks use nothing while load looks high: they are about to take their part of it.
    """
    ratio = level.ratio
    high = ratio > 1.0 or (ratio == 1.0 and counting.strangers and measure.plain)
    filled = dict(known)
    if ratio < 1.0 or high:
        for task in tasks.missing:
            filled[task] = 0 if high else measure.full(task)
    if ratio > 1.0:
        for task in tasks.unready:
            filled[task] = 0
    again = measure.level(filled)
    assert again is not None  # `filled` holds all that `level` was made of
    raw = rounding.up(again.ratio * counting.tasks(len(filled)), counting.noise)
    crossed = (ratio < 1.0 < again.ratio) or (again.ratio < 1.0 < ratio)
    if counting.tolerance.holds(again.ratio) or crossed or counting.against(again.ratio, raw):
        by = Held.MISSING if tasks.missing else Held.UNREADY
        held = None if counting.tolerance.holds(ratio) else by
        return Wanted(counting.current, raw, level, held)
    return Wanted(raw, raw, level)


def from_value(
    value: int, target: int, ready: int, known_tasks: int, counting: Counting
) -> Wanted | Fault:
    """One number for the whole service that shrinks as replicas are added, a latency say.

    From zero replicas there is nothing to multiply by: the ratio itself, without tolerance.
    """
    ratio = value / target
    level = Level(ratio, value, value)
    if counting.current == 0:
        wanted = rounding.quotient(value, target)
        return Wanted(wanted, wanted, level)
    tasks = counting.tasks(ready)
    raw = (
        rounding.quotient(value * tasks, target)
        if counting.noise
        else rounding.up(ratio * tasks, 0.0)
    )
    if counting.tolerance.holds(ratio):
        return Wanted(counting.current, raw, level)
    if known_tasks == 0:
        return Fault.NO_TASKS
    if counting.never_against_load and counting.against(ratio, raw):
        return Wanted(counting.current, raw, level)
    return Wanted(raw, raw, level)


def from_average(value: int, target: int, wanted_tasks: int, counting: Counting) -> Wanted:
    """One number for the whole service of which each replica can take `target`.

    `wanted_tasks`: tasks the Swarm wants running now, among which the value is shared.
    """
    raw = rounding.quotient(value, target)
    ratio = value / (target * wanted_tasks) if wanted_tasks else float("inf")
    average = min(-(-value // wanted_tasks), _MAX_VALUE) if wanted_tasks else value
    level = Level(ratio, average, average)
    if counting.tolerance.holds(ratio):
        return Wanted(wanted_tasks, raw, level)
    return Wanted(raw, raw, level)


def total(values: tuple[int, ...]) -> int:
    """The sum of several series of one metric; clamped, never wrapped."""
    return min(sum(values), _MAX_VALUE)
