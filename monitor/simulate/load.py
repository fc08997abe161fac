"""What simulated tasks use: a service's CPU demand shared by its tasks, memory by task age."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from monitor.model.usage import Reading
from monitor.simulate.serving import Requests, Served, Serving

Demand = float | Callable[[float], float]
Memory = int | Callable[[float], int]

_GRID = 0.1  # seconds between the points at which a demand given as a function is taken
_IDLE_MEMORY = 20 * 1024 * 1024
_CORES = 1.0  # of a task without a limit that serves requests


@dataclass(slots=True)
class _Runner:
    """`base` is the account's sum for its limit when the task began to run."""

    limit: float
    base: float
    since: float
    ended_with: float | None = None


@dataclass(slots=True)
class _Account:
    demand: Demand = 0.0
    demand_since: float = 0.0
    memory: Memory = _IDLE_MEMORY
    settled: float = 0.0
    runners: dict[str, _Runner] = field(default_factory=dict)
    running: int = 0
    sums: dict[float, float] = field(default_factory=dict)  # CPU seconds per task, by limit
    serving: Serving | None = None  # in place of the demand
    cores: float = 0.0  # that its running tasks may use to serve


class Load:
    """CPU time by integration over virtual time: exact for demands that are numbers.

    Each running task gets an equal share of the service's demand, up to its own limit; what
    is above the limit is lost, as when a task is throttled. A demand given as a function of
    the seconds since it was set is taken at the middle of each 0.1 s. A service that serves
    requests uses what these take, see `monitor.simulate.serving`.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}

    def set_demand(self, service_id: str, demand: Demand, now: float) -> None:
        """`demand` in cores for the whole service; `now` in monotonic seconds."""
        account = self._settle(service_id, now)
        account.demand, account.demand_since = demand, now

    def set_requests(self, service_id: str, requests: Requests, now: float) -> None:
        """Requests come from `now` on, in place of a demand in cores."""
        account = self._settle(service_id, now)
        account.serving, account.demand_since = Serving(requests), now

    def served(self, service_id: str, now: float) -> Served | None:
        """How its requests fare at this moment; None for a service without any."""
        account = self._settle(service_id, now)
        if account.serving is None:
            return None
        return account.serving.look(account.cores, account.running)

    def demand(self, service_id: str, now: float) -> float:
        """Cores that the service as a whole wants at this moment."""
        account = self._accounts.get(service_id)
        if account is None:
            return 0.0
        if account.serving is not None:
            served = account.serving.look(account.cores, account.running)
            return served.rate * account.serving.requests.cpu
        if callable(account.demand):
            return account.demand(now - account.demand_since)
        return account.demand

    def set_memory(self, service_id: str, memory: Memory) -> None:
        """Bytes of each task, or a function of the seconds since the task began to run."""
        self._accounts.setdefault(service_id, _Account()).memory = memory

    def start(self, service_id: str, task_id: str, cpu_limit: float, now: float) -> None:
        """The task runs; `cpu_limit` in cores, 0 for none."""
        account = self._settle(service_id, now)
        if task_id in account.runners and account.runners[task_id].ended_with is None:
            return
        limit = cpu_limit or math.inf
        account.running += 1
        account.cores += cpu_limit or _CORES
        account.runners[task_id] = _Runner(limit, account.sums.setdefault(limit, 0.0), now)

    def stop(self, service_id: str, task_id: str, now: float) -> None:
        account = self._settle(service_id, now)
        runner = account.runners.get(task_id)
        if runner is not None and runner.ended_with is None:
            account.running -= 1
            account.cores -= _cores(runner.limit)
            runner.ended_with = account.sums[runner.limit] - runner.base

    def forget(self, service_id: str, task_id: str, now: float) -> None:
        self.stop(service_id, task_id, now)
        if service_id in self._accounts:
            self._accounts[service_id].runners.pop(task_id, None)

    def cpu_seconds(self, service_id: str, task_id: str, now: float) -> float:
        """CPU seconds used since the task began to run; 0 for a task that never ran."""
        account = self._settle(service_id, now)
        runner = account.runners.get(task_id)
        if runner is None:
            return 0.0
        if runner.ended_with is not None:
            return runner.ended_with
        return account.sums[runner.limit] - runner.base

    def reading(
        self, service_id: str, task_id: str, memory_limit: int | None, now: float
    ) -> Reading:
        cpu = self.cpu_seconds(service_id, task_id, now)
        account = self._accounts[service_id]
        runner = account.runners.get(task_id)
        age = now - runner.since if runner else 0.0
        memory = account.memory(age) if callable(account.memory) else account.memory
        if account.serving is not None and runner is not None and runner.ended_with is None:
            memory += account.serving.memory(account.cores, account.running)
        if memory_limit:
            memory = min(memory, memory_limit)
        return Reading(
            cpu_seconds=cpu, memory_usage=memory, working_set=memory, memory_limit=memory_limit
        )

    def _settle(self, service_id: str, now: float) -> _Account:
        account = self._accounts.setdefault(service_id, _Account(settled=now))
        if now > account.settled:
            if account.serving is not None:
                _serve(account, account.serving, account.settled, now)
            elif account.running:
                for limit in account.sums:
                    account.sums[limit] += _used(account, limit, account.settled, now)
            account.settled = now
        return account


def _cores(limit: float) -> float:
    return _CORES if math.isinf(limit) else limit


def _serve(account: _Account, serving: Serving, start: float, end: float) -> None:
    """What requests take is shared by the tasks as their limits are."""
    since = account.demand_since
    cores = account.cores if account.running else 0.0
    used = serving.advance(start - since, end - since, cores)
    if cores > 0:
        for limit in account.sums:
            account.sums[limit] += used * _cores(limit) / cores


def _used(account: _Account, limit: float, start: float, end: float) -> float:
    """CPU seconds of one task with that limit between two moments without other changes."""
    demand = account.demand
    if not callable(demand):
        return min(limit, demand / account.running) * (end - start)
    used, at = 0.0, start
    while at < end:
        until = min(end, at + _GRID)
        cores = demand((at + until) / 2 - account.demand_since) / account.running
        used += min(limit, cores) * (until - at)
        at = until
    return used
