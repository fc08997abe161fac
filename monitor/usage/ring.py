"""One task's recent readings as plain numbers, and means over windows of them."""

from array import array
from bisect import bisect_right
from math import ceil

# A clock that ticks a little early must not push the window's first reading out.
_SPARE = 4


class Ring:
    """Keeps at least `horizon` seconds of readings that come every `interval` seconds.

    No object per reading: numbers lie in arrays, in order of time, and the older half goes at
    once when twice the horizon is full. Memory is kept as a running sum, so a mean over any
    window costs one search.
    """

    __slots__ = ("_cpu", "_interval", "_keep", "_sums", "_times")

    def __init__(self, horizon: float, interval: float) -> None:
        self._interval = interval
        self._keep = 0
        self._times = array("d")
        self._cpu = array("d")
        self._sums = array("d", (0.0,))  # the sum of all memory readings before each one
        self.reserve(horizon)

    def __len__(self) -> int:
        return len(self._times)

    @property
    def newest(self) -> float | None:
        """When the newest reading was taken, None where there is none."""
        return self._times[-1] if self._times else None

    def reserve(self, horizon: float) -> None:
        """Keep at least `horizon` seconds from now on; never fewer than before."""
        self._keep = max(self._keep, ceil(horizon / self._interval) + _SPARE)

    def append(self, at: float, cpu_seconds: float, memory: float) -> None:
        """Add a reading: monotonic seconds, CPU seconds since the start, bytes.

        A counter below its last value belongs to a new start of the container, so all history
        goes. A reading that is not newer than the last one is left out.
        """
        if self._times:
            if at <= self._times[-1]:
                return
            if cpu_seconds < self._cpu[-1]:
                self.clear()
            elif len(self._times) >= 2 * self._keep:
                self._forget(self._keep)
        self._times.append(at)
        self._cpu.append(cpu_seconds)
        self._sums.append(self._sums[-1] + memory)

    def clear(self) -> None:
        del self._times[:]
        del self._cpu[:]
        del self._sums[1:]
        self._sums[0] = 0.0

    def cpu(self, window: float) -> tuple[float, float] | None:
        """Mean cores over `window` seconds up to the newest reading, and the seconds covered.

        Goes back to the reading at or just before the window's start, so that what is covered
        is at least the window, or all that there is. None with fewer than two readings.
        """
        first = self._first(window)
        if len(self._times) < 2:
            return None
        first = min(first, len(self._times) - 2)
        span = self._times[-1] - self._times[first]
        return (self._cpu[-1] - self._cpu[first]) / span, span

    def memory(self, window: float) -> tuple[float, float] | None:
        """Mean bytes of the readings that `cpu` would cover, both ends included, and seconds."""
        if not self._times:
            return None
        first = self._first(window)
        count = len(self._times) - first
        mean = (self._sums[-1] - self._sums[first]) / count
        return mean, self._times[-1] - self._times[first]

    def _forget(self, count: int) -> None:
        del self._times[:count]
        del self._cpu[:count]
        base = self._sums[count]  # taken off, so that the sums stay small and exact
        self._sums = array("d", [total - base for total in self._sums[count:]])

    def _first(self, window: float) -> int:
        if not self._times:
            return 0
        return max(bisect_right(self._times, self._times[-1] - window) - 1, 0)
