"""Growing pauses between attempts to reach one peer."""

from monitor.ports.clock import Clock

FIRST = 0.2
MOST = 30.0
GOOD_SECONDS = 60.0


class Backoff:
    """0.2 s doubling to 30 s, each cut by up to half by chance, so that managers that lost their
    peers at once do not come back in step.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next = FIRST

    def pause(self) -> float:
        whole, self._next = self._next, min(MOST, self._next * 2)
        return whole * (1.0 - self._clock.random() / 2)

    def reset(self) -> None:
        self._next = FIRST

    def lasted(self, seconds: float) -> None:
        """A connection that lasted a minute was a good one: begin with short pauses again."""
        if seconds >= GOOD_SECONDS:
            self.reset()
