"""The series of this node's tasks: what they use, on every agent."""

from collections.abc import Iterable

from monitor.export.block import Block
from monitor.export.budget import SeriesBudget
from monitor.export.catalogue.usage import usage_kind
from monitor.export.family import Family, TaskLabels
from monitor.export.rows import TaskUsageRow
from monitor.export.store import ExpositionStore

DEFAULT_MAX_AGE = 15.0
"""Seconds after which a sample is no longer passed off as what a task uses."""


class LocalExposition:
    """Fed with the whole list of tasks after each pass of the sampler.

    max_age: seconds; a task whose newest reading is older has no series until the next one.
    """

    def __init__(
        self,
        *,
        task_labels: TaskLabels = TaskLabels.TASK,
        max_age: float = DEFAULT_MAX_AGE,
        budget: SeriesBudget | None = None,
    ) -> None:
        self._mode = task_labels
        self._max_age = max_age
        self._store = ExpositionStore((usage_kind(task_labels),), budget)
        self._rows: dict[str, TaskUsageRow] = {}

    @property
    def families(self) -> tuple[Family, ...]:
        return self._store.families

    @property
    def series(self) -> int:
        return self._store.series

    def set_rows(self, rows: Iterable[TaskUsageRow]) -> None:
        """All tasks that run on this node now; the others are dropped.

        By slot, two tasks of one slot that overlap (a replacement) are one series: the one
        that started last.
        """
        new: dict[str, TaskUsageRow] = {}
        for row in rows:
            key = row.task_id
            if self._mode is TaskLabels.SLOT:
                key = f"{row.service_id}/{row.slot}"
                other = new.get(key)
                if other is not None and other.started_at > row.started_at:
                    continue
            new[key] = row
        self._rows = new

    def prepare(self, now: float) -> None:
        """Marks what changed as of `now`, monotonic seconds."""
        for key in self._store.keys("usage"):
            if key not in self._rows:
                self._store.drop("usage", key)
        for key, row in self._rows.items():
            if row.sampled_at is not None and now - row.sampled_at.mono > self._max_age:
                self._store.drop("usage", key)
            else:
                self._store.put("usage", key, row)

    def refresh(self, limit: int | None = None) -> bool:
        """Renders up to `limit` changed tasks; whether some are left."""
        return self._store.refresh(limit)

    def blocks(self, *, openmetrics: bool, names: frozenset[str] = frozenset()) -> list[Block]:
        """See `ExpositionStore.blocks`."""
        return self._store.blocks(openmetrics=openmetrics, names=names)

    def render(self, *, openmetrics: bool, names: frozenset[str] = frozenset()) -> bytes:
        return self._store.render(openmetrics=openmetrics, names=names)
