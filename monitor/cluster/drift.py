"""Objects that a re-list had to correct and that no event told of: the measure of lost events."""

from collections import Counter
from collections.abc import Mapping

GRACE = 2.0

Key = tuple[str, str]


class Drift:
    """A correction counts once no hint about the object came within 2 s. Monotonic seconds."""

    def __init__(self) -> None:
        self._total: Counter[str] = Counter({"node": 0, "service": 0, "task": 0})
        self._suspects: dict[Key, tuple[float, int]] = {}

    def corrected(self, kind: str, key: str, now: float, count: int = 1) -> None:
        """A re-list corrected `count` objects; for tasks `key` is their service's id."""
        at, known = self._suspects.get((kind, key), (now, 0))
        self._suspects[kind, key] = (at, known + count)

    def hinted(self, kind: str, key: str) -> None:
        if self._suspects:
            self._suspects.pop((kind, key), None)

    def total(self, now: float) -> Mapping[str, int]:
        for suspect, (at, count) in list(self._suspects.items()):
            if now - at >= GRACE:
                del self._suspects[suspect]
                self._total[suspect[0]] += count
        return dict(self._total)
