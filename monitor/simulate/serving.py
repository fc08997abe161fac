"""A service that serves requests: CPU, memory, queue and latency that follow from their rate.

Requests are a fluid. With `rate` requests a second, `cpu` seconds of CPU for each, and tasks that
may use `cores` in all (each its limit, or one core without one):

    capacity     cores / cpu                          requests a second
    queue        grows by rate - capacity while that is positive, to at most `most_waiting`; what
                 comes on top is refused; it drains by what is left of the capacity afterwards
    utilization  served / capacity: 1 as long as anything waits
    latency      wait + (cpu / min(1, a task's cores)) / (1 - utilization) + queue / capacity,
                 utilization taken as at most 0.95
    in service   rate served * (latency - queue / capacity), by Little's law
    memory       of a task: its own, and `memory` for each request that it has or that waits for it

The middle term is the mean response time of an M/M/1 queue with processor sharing (L. Kleinrock,
"Queueing Systems", volume 2, 1976, section 4.4), which depends on the mean of the CPU time alone; a
task with more than one core is as one that is as much faster, so that it is an upper estimate
there. The queue is the fluid approximation of the time in which there is too much (G. F. Newell,
"Applications of Queueing Theory", 1982, chapter 2).
"""

from collections.abc import Callable
from dataclasses import dataclass

Rate = float | Callable[[float], float]

MOST_UTILIZED = 0.95
"""Above it the formula of a steady state says 20 times the CPU time and more, for times that no
busy moment lasts; then the queue says the rest."""

_GRID = 0.1  # seconds between the points at which a rate given as a function is taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What comes, and what each takes. rate: requests a second, or a function of seconds.

    cpu: seconds of CPU. wait: seconds without CPU. most_waiting: requests. memory: bytes.
    """

    rate: Rate
    cpu: float
    wait: float = 0.0
    most_waiting: float = 1000.0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Served:
    """One moment. rate, capacity: requests a second. queue: requests that wait. latency: seconds,
    None while no task runs. in_service: requests. served, refused: requests since the start.
    """

    rate: float
    capacity: float
    utilization: float
    queue: float
    latency: float | None
    in_service: float
    served: float
    refused: float


class Serving:
    """One service's requests over time; seconds since they began to come."""

    def __init__(self, requests: Requests) -> None:
        self.requests = requests
        self._queue = self._served = self._refused = 0.0
        self._rate = self._utilization = 0.0

    def advance(self, start: float, end: float, cores: float) -> float:
        """Serves between two moments with so many cores in all; returns CPU seconds used."""
        used = 0.0
        at = start
        while at < end:
            until = min(end, at + _GRID) if callable(self.requests.rate) else end
            used += self._serve(self._rate_at((at + until) / 2), until - at, cores)
            at = until
        return used

    def _rate_at(self, at: float) -> float:
        rate = self.requests.rate
        return max(0.0, rate(at)) if callable(rate) else rate

    def _serve(self, rate: float, seconds: float, cores: float) -> float:
        """At a rate that stays as it is. Returns CPU seconds."""
        capacity = cores / self.requests.cpu
        come, can = rate * seconds, capacity * seconds
        served = min(self._queue + come, can)
        waiting = self._queue + come - served
        refused = max(0.0, waiting - self.requests.most_waiting)
        self._queue = waiting - refused
        self._served += served
        self._refused += refused
        self._rate = rate
        full = self._queue > 0 or rate > capacity
        self._utilization = 1.0 if full else rate / capacity if capacity else 0.0
        return served * self.requests.cpu

    def look(self, cores: float, tasks: int) -> Served:
        """How it is now, with so many tasks that have `cores` in all."""
        requests, queue = self.requests, self._queue
        capacity = cores / requests.cpu
        busy = min(self._utilization, MOST_UTILIZED)
        if tasks == 0:
            return Served(self._rate, 0.0, 0.0, queue, None, 0.0, self._served, self._refused)
        alone = requests.cpu / min(1.0, cores / tasks)
        response = requests.wait + alone / (1 - busy)
        return Served(
            rate=self._rate,
            capacity=capacity,
            utilization=self._utilization,
            queue=queue,
            latency=response + queue / capacity,
            in_service=min(self._rate, capacity) * response,
            served=self._served,
            refused=self._refused,
        )

    def memory(self, cores: float, tasks: int) -> int:
        """Bytes that requests add to each of so many tasks."""
        if not tasks or not self.requests.memory:
            return 0
        now = self.look(cores, tasks)
        return round(self.requests.memory * (now.queue + now.in_service) / tasks)
