"""Growing pauses between attempts."""

from monitor.ports.clock import Clock


class Backoff:
    """Pauses of `first` seconds, doubling to `most`, each cut by up to half by chance.

    The jitter keeps the agents of a Swarm from coming back in step.
    """

    def __init__(self, clock: Clock, first: float = 0.2, most: float = 30.0) -> None:
        self._clock = clock
        self._first = first
        self._most = most
        self._next = first

    def pause(self) -> float:
        """The next pause in seconds."""
        whole, self._next = self._next, min(self._most, self._next * 2)
        return whole * (1.0 - self._clock.random() / 2)

    def reset(self) -> None:
        self._next = self._first
