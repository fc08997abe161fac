"""What the replayed service's tasks use, in place of cgroup files and of metric servers."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.model.scalar import JsonUrl, Number, PrometheusQuery
from monitor.model.usage import MetricKind, Sample
from monitor.replay.levels import Levels
from monitor.replay.terms import Terms
from monitor.replay.world import START, World

FULL_BEFORE = 7200.0
"""Seconds before the start in which the service had the trace's first load already."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How usage gets to whoever decides.

    every: seconds between two readings. mean_of: what a sample is the mean of; None: of the
    window that is asked for. The agent reads each second and averages over a rule's windows; a
    Kubernetes metrics server reads each 15 s and gives the mean since the reading before.
    """

    every: float = 1.0
    mean_of: float | None = None


BY_AGENT = Sampling()


class Measured:
    """`UsageSource` and `NumberReader` of one World. `now` may be
    ahead of it, up to its next change.
    """

    def __init__(self, terms: Terms, per_replica: float, sampling: Sampling) -> None:
        self.levels = Levels(START - FULL_BEFORE)
        self._terms, self._per_replica, self._sampling = terms, per_replica, sampling
        self._world: World | None = None

    def watch(self, world: World) -> None:
        self._world = world

    def level(self, at: float, level: float) -> None:
        """Each change of the share of its CPU that a running replica uses."""
        self.levels.set(START - FULL_BEFORE if at <= START else at, level)

    # What the deciding code asks

    def samples(
        self,
        task_ids: Iterable[str],
        kind: MetricKind,
        window: float,
        rising_window: float,
        now: float,
    ) -> Mapping[str, Sample]:
        assert self._world is not None
        if self._sampling.mean_of is not None:
            window = rising_window = self._sampling.mean_of
        newest = now - (now - START) % self._sampling.every
        since = self._world.view().running_since
        whole = newest - max(window, rising_window)
        alike: dict[float, Sample | None] = {}
        found: dict[str, Sample] = {}
        running = self._world.running_ids()
        for task_id in task_ids:
            if task_id not in running:
                continue
            begin = since.get(task_id, -math.inf)
            if begin <= whole:
                begin = -math.inf
            if begin not in alike:
                alike[begin] = self._sample(kind, begin, newest, now, (window, rising_window))
            sample = alike[begin]
            if sample is not None:
                found[task_id] = sample
        return found

    def number(self, source: PrometheusQuery | JsonUrl, now: float) -> Number | None:
        """Any source says what the trace says: the demand on the whole service."""
        assert self._world is not None
        return Number(self._world.load * self._per_replica, 0.0)

    def _sample(
        self,
        kind: MetricKind,
        begin: float,
        newest: float,
        now: float,
        windows: tuple[float, float],
    ) -> Sample | None:
        """None where the task was not read twice yet."""
        window, rising_window = windows
        if kind is not MetricKind.CPU:
            if self._terms.memory is None:
                return None
            return Sample(self._terms.memory, 0.0, span=window)
        span = newest - begin
        if span < min(self._sampling.every, 1.0):
            return None
        mean = self.levels.mean(max(begin, newest - window), newest) * self._terms.cpu
        rising = None
        if self._sampling.mean_of is None:
            start = max(begin, newest - rising_window)
            rising = self.levels.mean(start, newest) * self._terms.cpu
        return Sample(mean, now - newest, rising, min(window, span))
