"""Where samples of tasks' usage come from: this node's, later every node's."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from monitor.model.usage import MetricKind, Sample


class UsageSource(Protocol):
    def samples(
        self,
        task_ids: Iterable[str],
        kind: MetricKind,
        window: float,
        rising_window: float,
        now: float,
    ) -> Mapping[str, Sample]:
        """Samples of those tasks that have any not older than the staleness bound.

        Windows in seconds, `now` monotonic seconds. An unknown or stale task is left out:
        missing is not zero.
        """
