"""One task's network counters of late as plain numbers, and rates over windows of them."""

from array import array
from bisect import bisect_right
from collections.abc import Sequence

_LEAST = 16


class Traffic:
    """Keeps at least `horizon` seconds of readings, however far apart they come.

    No object per reading: numbers lie in arrays, in order of time, and the older half goes at
    once when the other one reaches back far enough.
    """

    __slots__ = ("_horizon", "_received", "_sent", "_times")

    def __init__(self, horizon: float) -> None:
        self._horizon = horizon
        self._times = array("d")
        self._received = array("d")
        self._sent = array("d")

    def __len__(self) -> int:
        return len(self._times)

    @property
    def newest(self) -> float | None:
        """When the newest reading was taken, None where there is none."""
        return self._times[-1] if self._times else None

    def reserve(self, horizon: float) -> None:
        """Keep at least `horizon` seconds from now on; never fewer than before."""
        self._horizon = max(self._horizon, horizon)

    def append(self, at: float, received: int, sent: int) -> None:
        """Add a reading: monotonic seconds, bytes since the start.

        A counter below its last value belongs to another start or to fewer interfaces, so all
        history goes. A reading that is not newer than the last one is left out.
        """
        if self._times:
            if at <= self._times[-1]:
                return
            if received < self._received[-1] or sent < self._sent[-1]:
                self.clear()
        self._times.append(at)
        self._received.append(received)
        self._sent.append(sent)
        half = len(self._times) // 2
        if half >= _LEAST and self._times[half] <= at - self._horizon:
            for numbers in (self._times, self._received, self._sent):
                del numbers[:half]

    def clear(self) -> None:
        for numbers in (self._times, self._received, self._sent):
            del numbers[:]

    def received(self, window: float) -> tuple[float, float] | None:
        """Mean bytes per second over `window` seconds up to the newest, and the seconds covered.

        Goes back to the reading at or just before the window's start, so that what is covered
        is at least the window, or all that there is. None with fewer than two readings.
        """
        return self._rate(self._received, window)

    def sent(self, window: float) -> tuple[float, float] | None:
        """As `received`."""
        return self._rate(self._sent, window)

    def _rate(self, counter: Sequence[float], window: float) -> tuple[float, float] | None:
        last = len(self._times) - 1
        if last < 1:
            return None
        first = bisect_right(self._times, self._times[last] - window) - 1
        first = min(max(first, 0), last - 1)
        span = self._times[last] - self._times[first]
        return (counter[last] - counter[first]) / span, span
