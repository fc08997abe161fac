"""Time and chance, the only way to either."""

from typing import Protocol

from monitor.model.now import Now


class Clock(Protocol):
    def now(self) -> Now:
        """Both clocks; `mono` is the running event loop's time."""

    def random(self) -> float:
        """A number in [0, 1), for jitter."""
