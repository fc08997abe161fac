"""Keys in the order in which they become due."""

import heapq
from dataclasses import dataclass, field

_SPARE = 64
"""Entries beyond twice the keys that are due before any is dropped early."""


@dataclass(slots=True)
class DueKeys:
    """Each key is due at one time only, its earliest; monotonic seconds throughout.

    min_interval: a key is not taken more often than that.
    """

    min_interval: float = 1.0
    _due: dict[str, float] = field(default_factory=dict)
    _heap: list[tuple[float, int, str]] = field(default_factory=list)
    _taken: dict[str, float] = field(default_factory=dict)
    _order: int = 0

    def touch(self, key: str, at: float) -> None:
        """The key is due at `at`, or as soon after it as the interval allows."""
        last = self._taken.get(key)
        at = at if last is None else max(at, last + self.min_interval)
        known = self._due.get(key)
        if known is not None and known <= at:
            return
        self._due[key] = at
        self._order += 1
        heapq.heappush(self._heap, (at, self._order, key))
        if len(self._heap) > 2 * len(self._due) + _SPARE:
            self._sweep()

    def _sweep(self) -> None:
        """Drops what does not count any more: a key put off and brought forward every second would
        leave as many entries as seconds."""
        kept: dict[str, tuple[float, int, str]] = {}
        for entry in sorted(self._heap):
            at, _, key = entry
            if self._due.get(key) == at:
                kept.setdefault(key, entry)
        self._heap = list(kept.values())  # in order, and so a heap

    def take(self, now: float) -> str | None:
        """The key that has been due longest, or None; it is not due any more then."""
        while self._heap and self._heap[0][0] <= now:
            at, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == at:
                del self._due[key]
                self._taken[key] = now
                return key
        return None

    def next_at(self) -> float | None:
        """When the next key becomes due; None if none will."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def forget(self, key: str) -> None:
        self._due.pop(key, None)
        self._taken.pop(key, None)
