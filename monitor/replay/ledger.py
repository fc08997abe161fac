"""How well supply followed demand: the elasticity metrics of the SPEC Research Group.

Herbst, Kounev, Reussner: "Elasticity in Cloud Computing: What It Is, and What It Is Not" (ICAC
2013), and Herbst et al.: "Ready for Rain? A View from SPEC Research on the Future of Cloud
Metrics" (SPEC RG 2016). With d the replicas that demand takes and s those that run:

    under-provisioning accuracy   100 / T * integral of max(d - s, 0) / d
    over-provisioning accuracy    100 / T * integral of max(s - d, 0) / d
    under-provisioning timeshare  100 / T * time with s < d;  over: with s > d
    instability                   100 / (n - 1) * the changes between the trace's n points of
                                  min(|sgn(change of s) - sgn(change of d)|, 1), added up

Between two changes everything is constant here, so that the integrals are sums without error.
"""

import math
from dataclasses import dataclass

_ROUNDING = 1e-9


def ideal(load: float, good_until: float) -> int:
    """The fewest replicas, at least one, that serve `load` well; both in full replicas."""
    return max(1, math.ceil(load / good_until - _ROUNDING))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which nothing changed but the backlog, which changed evenly.

    load: in full replicas. running, wanted: replicas. waiting: the most replica seconds
    of work that waited. refused: replica seconds of work.
    """

    seconds: float
    load: float
    running: int
    wanted: int
    waiting: float = 0.0
    refused: float = 0.0


@dataclass(frozen=True, slots=True)
class Score:
    """Shares in percent, times in seconds. The first five: see above.

    over_capacity: of the time with more demand than all running replicas can serve.
    refused: of the work. longest_wait: until what came last is
    served.
    """

    under_accuracy: float
    over_accuracy: float
    under_timeshare: float
    over_timeshare: float
    instability: float
    replica_hours: float
    ideal_hours: float
    over_capacity: float
    refused: float
    longest_wait: float


class Ledger:
    """Adds up stretches; `point` closes each point of the trace."""

    def __init__(self, good_until: float) -> None:
        self._good_until = good_until
        self._seconds = self._under = self._over = self._under_time = self._over_time = 0.0
        self._replica_seconds = self._ideal_seconds = 0.0
        self._full_time = self._work = self._refused = self._longest_wait = 0.0
        self._points = self._unstable = 0
        self._last: tuple[int, int] | None = None

    def add(self, stretch: Stretch) -> None:
        seconds = stretch.seconds
        demand, supply = ideal(stretch.load, self._good_until), stretch.running
        self._seconds += seconds
        if supply < demand:
            self._under += seconds * (demand - supply) / demand
            self._under_time += seconds
        elif supply > demand:
            self._over += seconds * (supply - demand) / demand
            self._over_time += seconds
        self._replica_seconds += seconds * stretch.wanted
        self._ideal_seconds += seconds * demand
        self._work += seconds * stretch.load
        self._refused += stretch.refused
        if stretch.load > stretch.running:
            self._full_time += seconds
        if stretch.waiting > 0:
            wait = stretch.waiting / max(stretch.running, 1)
            self._longest_wait = max(self._longest_wait, wait)

    def point(self, load: float, running: int) -> None:
        """The state at the end of a point of the trace."""
        now = ideal(load, self._good_until), running
        if self._last is not None:
            demand, supply = now[0] - self._last[0], now[1] - self._last[1]
            self._unstable += min(abs(_sign(supply) - _sign(demand)), 1)
        self._last = now
        self._points += 1

    def score(self) -> Score:
        share = 100 / self._seconds if self._seconds else 0.0
        return Score(
            under_accuracy=self._under * share,
            over_accuracy=self._over * share,
            under_timeshare=self._under_time * share,
            over_timeshare=self._over_time * share,
            instability=100 * self._unstable / max(1, self._points - 1),
            replica_hours=self._replica_seconds / 3600,
            ideal_hours=self._ideal_seconds / 3600,
            over_capacity=self._full_time * share,
            refused=100 * self._refused / self._work if self._work else 0.0,
            longest_wait=self._longest_wait,
        )


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
