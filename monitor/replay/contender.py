"""Who decides in a replay: a rule as the agent follows it, or a HorizontalPodAutoscaler."""

import math
from dataclasses import dataclass, replace

from monitor.model.rule import (
    SCALE_DOWN_DEFAULT,
    SCALE_UP_DEFAULT,
    Metric,
    MissingSamples,
    ScaleRule,
)
from monitor.model.tuning import HPA_TUNING, Count, UpscaleCap
from monitor.replay.measured import BY_AGENT, Sampling

HPA_SYNC = 15.0
"""Seconds: the controller's --horizontal-pod-autoscaler-sync-period."""

METRICS_RESOLUTION = 15.0
"""Seconds: --metric-resolution in the manifests that metrics-server is installed with."""

_NEVER_FLAPPING = 10**9
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Contender:
    """every: seconds between two evaluations, as the decider has them.

    settled_after: seconds after a task began to run by which all its samples are whole.
    """

    label: str
    rule: ScaleRule
    every: float = 1.0
    sampling: Sampling = BY_AGENT

    @property
    def windows(self) -> tuple[float, ...]:
        """Seconds over which usage is averaged, each once."""
        if self.sampling.mean_of is not None:
            return (self.sampling.mean_of,)
        metrics = [metric for metric in self.rule.metrics if isinstance(metric, Metric)]
        found = {seconds for one in metrics for seconds in (one.window, one.rising_window)}
        return tuple(sorted(found))

    @property
    def settled_after(self) -> float:
        return max(self.windows, default=0.0) + self.sampling.every + self.every


def by_agent(rule: ScaleRule, label: str = "", every: float = 1.0) -> Contender:
    """The agent samples each second and may evaluate each second."""
    return Contender(label or rule.name, rule, every)


def by_hpa(rule: ScaleRule, label: str = "HPA defaults") -> Contender:
    """The rule's bounds and targets under a HorizontalPodAutoscaler that is told nothing else.

    Its controller's flags and `behavior` have their defaults: evaluated each 15 s on the last
    mean of a metrics server of 15 s, down after 300 s, up to max(2 * replicas, 4) at once,
    tolerance 10 %, whole percents, pods unready until measured once.
    """
    metrics = tuple(
        replace(metric, window=METRICS_RESOLUTION, rising_window=METRICS_RESOLUTION)
        if isinstance(metric, Metric)
        else metric
        for metric in rule.metrics
    )
    hpa = replace(
        rule,
        metrics=metrics,
        scale_up=SCALE_UP_DEFAULT,
        scale_down=replace(SCALE_DOWN_DEFAULT, cooldown=0.0),
        missing_samples=MissingSamples.HPA,
        count=Count.READY,
        tuning=replace(HPA_TUNING, upscale_cap=UpscaleCap()),
        warm_up=None,
        fallback=None,
        schedules=(),
        max_direction_changes=_NEVER_FLAPPING,
    )
    return Contender(label, hpa, HPA_SYNC, Sampling(METRICS_RESOLUTION, METRICS_RESOLUTION))


def next_turn(every: float, now: float, change: float, recheck: float) -> float:
    """Of the moments `now + every`, `now + 2 * every`... the last before things change at
    `change`, or the first from `recheck` on, whichever is earlier.
    """
    turns = math.floor((change - now) / every + _ROUNDING)
    if recheck < change:
        turns = min(turns, math.ceil((recheck - now) / every - _ROUNDING))
    return now + every * max(1, turns)
