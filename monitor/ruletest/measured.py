"""What a test's series say, in place of cgroup files and of metric servers."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from monitor.model.scalar import JsonUrl, Number, PrometheusQuery
from monitor.model.usage import MetricKind, Sample
from monitor.ruletest.series import Series
from monitor.simulate.state import SimTask
from monitor.simulate.swarm import Swarm

_KEPT = 3700.0
_STALE = 5.0
_SHARED = {"cpu_total": MetricKind.CPU, "memory_total": MetricKind.MEMORY}


@dataclass(frozen=True, slots=True)
class _Point:
    at: float
    value: float


class MeasuredSeries:
    """A `UsageSource` that is sampled each second, as the agent samples its node.

    started: monotonic time of the test's start, None before it: the first values hold then.
    CPU is cut at the task's limit, as the kernel does.
    """

    def __init__(self, swarm: Swarm, series: Iterable[Series], interval: float) -> None:
        self.started: float | None = None
        self._swarm = swarm
        self._series = [one for one in series if one.service and one.kind != "number"]
        self._interval = interval
        self._points: defaultdict[tuple[str, MetricKind], deque[_Point]] = defaultdict(deque)

    async def run(self) -> NoReturn:
        while True:
            self._sample(self._swarm.mono())
            await asyncio.sleep(1.0)

    def samples(
        self,
        task_ids: Iterable[str],
        kind: MetricKind,
        window: float,
        rising_window: float,
        now: float,
    ) -> Mapping[str, Sample]:
        found: dict[str, Sample] = {}
        for task_id in task_ids:
            points = self._points.get((task_id, kind))
            # One reading is no sample yet: the agent needs two to tell a rate.
            if not points or len(points) < 2 or now - points[-1].at > _STALE:
                continue
            whole, rising = _within(points, window), _within(points, rising_window)
            found[task_id] = Sample(
                value=_mean(whole),
                age=now - points[-1].at,
                rising=_mean(rising),
                span=points[-1].at - whole[0].at,
            )
        return found

    def _sample(self, now: float) -> None:
        seconds = 0.0 if self.started is None else now - self.started
        for series in self._series:
            value = series.at(seconds, self._interval)
            if value is None:
                continue
            running = self._swarm.running(series.service)
            shared = series.kind in _SHARED
            kind = _SHARED[series.kind] if shared else MetricKind(series.kind)
            for task in running:
                each = value / len(running) if shared else value
                self._note(task, kind, each, now)

    def _note(self, task: SimTask, kind: MetricKind, value: float, now: float) -> None:
        if kind is MetricKind.CPU:
            limits = (task.spec.get("Resources") or {}).get("Limits") or {}
            value = min(value, limits.get("NanoCPUs", 0) / 1e9 or value)
        points = self._points[task.id, kind]
        points.append(_Point(now, value))
        while points[0].at < now - _KEPT:
            points.popleft()


def _within(points: deque[_Point], window: float) -> list[_Point]:
    """The points of the window, newest last, and the one at or before its beginning."""
    start = points[-1].at - window
    found: list[_Point] = []
    for point in reversed(points):
        found.append(point)
        if point.at <= start:
            break
    found.reverse()
    return found


def _mean(points: list[_Point]) -> float:
    """Each value is what was used since the point before it, so the first only begins a span."""
    used = points[1:] or points
    return sum(point.value for point in used) / len(used)


class MeasuredNumbers:
    """A `NumberReader`: each source answers what its metric's series says now.

    sources: the series of each source, by the source as it is asked for.
    """

    def __init__(
        self, sources: Mapping[PrometheusQuery | JsonUrl, Series], interval: float
    ) -> None:
        self.started: float | None = None
        self._sources = sources
        self._interval = interval

    def number(self, source: PrometheusQuery | JsonUrl, now: float) -> Number | None:
        series = self._sources.get(source)
        if series is None:
            return Number(None, 0.0, "the test has no series for it")
        seconds = 0.0 if self.started is None else now - self.started
        value = series.at(seconds, self._interval)
        if value is None:
            return Number(None, 0.0, "the test's series has no value now")
        return Number(value, 0.0)
