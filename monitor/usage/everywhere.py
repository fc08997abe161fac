"""Samples of all tasks of the Swarm: this node's, and those that other nodes report."""

from collections.abc import Iterable, Mapping

from monitor.model.usage import MetricKind, Sample
from monitor.ports.usage import UsageSource


class EverywhereUsage:
    """Asks `local` first, and `remote` for the tasks of which that has no sample."""

    def __init__(self, local: UsageSource, remote: UsageSource) -> None:
        self._local = local
        self._remote = remote

    def samples(
        self,
        task_ids: Iterable[str],
        kind: MetricKind,
        window: float,
        rising_window: float,
        now: float,
    ) -> Mapping[str, Sample]:
        """See `monitor.ports.usage.UsageSource`."""
        wanted = list(task_ids)
        local = self._local.samples(wanted, kind, window, rising_window, now)
        rest = [task_id for task_id in wanted if task_id not in local]
        if not rest:
            return local
        remote = self._remote.samples(rest, kind, window, rising_window, now)
        return {**remote, **local}
