"""What the calls to the Engine came to: plain numbers for whoever exports them."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field

# Seconds. Service updates take 3-10 ms, one-shot stats up to 1 s, a leaderless manager 20 s.
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(slots=True)
class EndpointStats:
    """Calls of one endpoint. `buckets` counts durations by the first bound that holds them.

    Its last place counts those above every bound; `failures` is by the fault's `reason`.
    """

    requests: int = 0
    seconds: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))


class CallStats:
    """Counts by (method, endpoint); endpoints are templates such as `/services/{id}`."""

    def __init__(self) -> None:
        self._endpoints: dict[tuple[str, str], EndpointStats] = {}

    @property
    def endpoints(self) -> Mapping[tuple[str, str], EndpointStats]:
        return self._endpoints

    def record(self, method: str, endpoint: str, seconds: float, failure: str | None) -> None:
        """One finished call; `failure` is the fault's reason, or None."""
        stats = self._endpoints.setdefault((method, endpoint), EndpointStats())
        stats.requests += 1
        stats.seconds += seconds
        stats.buckets[bisect_left(BUCKETS, seconds)] += 1
        if failure is not None:
            stats.failures[failure] = stats.failures.get(failure, 0) + 1
