"""The bounds of a rule, and what reaches them first: rates or bounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.decide import rates
from monitor.model.history import ScaleEvent
from monitor.model.rule import Behavior
from monitor.model.tuning import UpscaleCap


class Binding(StrEnum):
    """Which limit bound, in HorizontalPodAutoscaler's words (ScalingLimited's reasons)."""

    NONE = "DesiredWithinRange"
    MIN = "TooFewReplicas"
    MAX = "TooManyReplicas"
    UP_RATE = "ScaleUpLimit"
    DOWN_RATE = "ScaleDownLimit"


@dataclass(frozen=True, slots=True)
class Restrained:
    """`rate_limited`: after the rates alone. `wait`: until the rates allow more; None: never."""

    rate_limited: int
    bounded: int
    binding: Binding
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Range:
    least: int
    most: int


def outside(current: int, bounds: Range) -> int | None:
    """The bound to go to at once, without metrics; None where `current` is within."""
    if current > bounds.most:
        return bounds.most
    if current < bounds.least:
        return bounds.least
    return None


def restrain(
    current: int,
    desired: int,
    bounds: Range,
    *,
    up: Behavior,
    down: Behavior,
    events: Sequence[ScaleEvent],
    now: float,
    noise: float,
) -> Restrained:
    """Rates, then bounds. Worked example: 3 wanting 100, 700 % a minute, max 20: 24, then 20."""
    if desired > current:
        limit = rates.up_limit(current, events, up, now, noise)
        return _upwards(desired, bounds, limit)
    if desired < current:
        limit = rates.down_limit(current, events, down, now, noise)
        return _downwards(desired, bounds, limit)
    return Restrained(desired, desired, Binding.NONE)


def restrain_capped(current: int, desired: int, bounds: Range, cap: UpscaleCap) -> Restrained:
    """As a HorizontalPodAutoscaler without `behavior`: one cap on growth, then the bounds."""
    if desired < bounds.least:
        return Restrained(desired, bounds.least, Binding.MIN)
    return _upwards(desired, bounds, rates.capped(current, cap))


def _upwards(desired: int, bounds: Range, limit: rates.Limit) -> Restrained:
    limited = min(desired, limit.replicas)
    bounded = min(limited, bounds.most)
    if bounded == desired:
        return Restrained(limited, bounded, Binding.NONE)
    binding = Binding.UP_RATE if limit.replicas < bounds.most else Binding.MAX
    return Restrained(limited, bounded, binding, limit.wait if limited < desired else None)


def _downwards(desired: int, bounds: Range, limit: rates.Limit) -> Restrained:
    limited = max(desired, limit.replicas)
    bounded = max(limited, bounds.least)
    if bounded == desired:
        return Restrained(limited, bounded, Binding.NONE)
    binding = Binding.DOWN_RATE if limit.replicas > bounds.least else Binding.MIN
    return Restrained(limited, bounded, binding, limit.wait if limited > desired else None)
