"""Rates: how much may change within a period, counted with what has changed already."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.decide import rounding
from monitor.model.history import ScaleEvent
from monitor.model.rule import Behavior, Policy, PolicyType, SelectPolicy
from monitor.model.tuning import UpscaleCap


@dataclass(frozen=True, slots=True)
class Limit:
    """`wait`: seconds until the oldest counted change leaves its period; None if none does."""

    replicas: int
    wait: float | None = None


def change_in(events: Sequence[ScaleEvent], period: float, now: float) -> int:
    """Replicas added less those removed, by changes strictly younger than `period` seconds."""
    return sum(event.change for event in events if event.at > now - period)


def up_limit(
    current: int, events: Sequence[ScaleEvent], behavior: Behavior, now: float, noise: float
) -> Limit:
    """The most replicas that the policies of `scale_up` allow now, never below `current`.

    Worked example: 6 replicas, 300 % per 5 minutes, 4 added and 2 removed a minute ago: the
    period began with 4, so 16.
    """
    if behavior.select_policy is SelectPolicy.DISABLED or not behavior.policies:
        return Limit(current)
    limits = [_up(current - change_in(events, p.period, now), p, noise) for p in behavior.policies]
    pick = min if behavior.select_policy is SelectPolicy.MIN else max
    return Limit(max(current, pick(limits)), _wait(events, behavior.policies, now))


def down_limit(
    current: int, events: Sequence[ScaleEvent], behavior: Behavior, now: float, noise: float
) -> Limit:
    """The fewest replicas that the policies of `scale_down` allow now, never above `current`.

    `select_policy: min` is the smallest change, and so the highest of the policies' numbers.
    """
    if behavior.select_policy is SelectPolicy.DISABLED or not behavior.policies:
        return Limit(current)
    limits = [
        _down(current - change_in(events, p.period, now), p, noise) for p in behavior.policies
    ]
    pick = max if behavior.select_policy is SelectPolicy.MIN else min
    return Limit(min(current, pick(limits)), _wait(events, behavior.policies, now))


def capped(current: int, cap: UpscaleCap) -> Limit:
    return Limit(rounding.down(max(cap.factor * current, cap.minimum), 0.0))


def _up(start: int, policy: Policy, noise: float) -> int:
    if policy.type is PolicyType.REPLICAS:
        return start + policy.value
    return rounding.up(start * (1 + policy.value / 100), noise)


def _down(start: int, policy: Policy, noise: float) -> int:
    if policy.type is PolicyType.REPLICAS:
        return start - policy.value
    return rounding.down(start * (1 - policy.value / 100), noise)


def _wait(events: Sequence[ScaleEvent], policies: Sequence[Policy], now: float) -> float | None:
    return min(
        (
            event.at + policy.period - now
            for policy in policies
            for event in events
            if event.at > now - policy.period
        ),
        default=None,
    )
