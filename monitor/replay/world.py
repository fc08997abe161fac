"""The replayed service: a trace's demand on replicas that start and stop."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from monitor.model.service import Service, ServiceMode
from monitor.model.task import Task, TaskState
from monitor.model.view import ServiceView
from monitor.replay.ledger import Ledger, Stretch, ideal
from monitor.replay.terms import Terms
from monitor.replay.trace import Trace

START = 10_000.0
"""The monotonic clock at the trace's beginning: long after the tasks began to run."""

SERVICE_ID = NODE = "replayed"
_TEMPLATE = "unchanged"
_NOTHING = 1e-9


@dataclass(slots=True)
class _Replica:
    slot: int
    written: float
    runs_at: float


class World:
    """One service under the trace's load, in monotonic seconds from START on.

    Demand is a fluid: what exceeds the running replicas waits, at most `terms.queue` seconds of
    their work, and is served as soon as there is room; each replica uses an equal share of CPU.
    on_level: is told each change of the share of its CPU that each running replica uses.
    """

    def __init__(
        self,
        trace: Trace,
        terms: Terms,
        ledger: Ledger,
        name: str,
        on_level: Callable[[float, float], None],
    ) -> None:
        self._terms, self._ledger, self._name, self._on_level = terms, ledger, name, on_level
        self._offset = START - trace.times[0]
        self._times = [time + self._offset for time in trace.times]
        self._loads = [value / terms.per_replica for value in trace.values]
        self.end = trace.end + self._offset
        self._point = 0
        self.now = START
        self.backlog = 0.0  # replica seconds of work
        first = ideal(self._loads[0], terms.good_until)
        count = first if terms.initial is None else terms.initial
        self._replicas = [_Replica(slot, 0.0, -math.inf) for slot in range(1, count + 1)]
        self._slots = count
        self.wanted = count
        self.running = count
        self.version = 1
        self._version_since = 0.0
        self.level = -1.0
        self.started_at = -math.inf
        self.supply = [(START, count)]  # running replicas from then on, for charts
        self._view: ServiceView | None = None
        self._running_ids: frozenset[str] = frozenset()
        self._look()

    # What is there

    @property
    def load(self) -> float:
        """In full replicas."""
        return self._loads[self._point]

    def wall(self, mono: float) -> float:
        return mono - self._offset

    def next_change(self) -> float:
        """When demand, the running replicas or the backlog change next, if nobody scales."""
        found = self.end
        if self._point + 1 < len(self._times):
            found = self._times[self._point + 1]
        found = min(found, self._next_start())
        turn = self._backlog_turn()
        return found if turn is None else min(found, self.now + turn)

    def running_ids(self) -> frozenset[str]:
        self.view()
        return self._running_ids

    def view(self) -> ServiceView:
        if self._view is None:
            self._view = self._seen()
        return self._view

    # What happens

    def advance(self, until: float) -> None:
        while self.now < until:
            self._stretch(min(until, self.next_change()))

    def close(self) -> None:
        """The last point ends with the trace."""
        self._ledger.point(self.load, self.running)

    def scale(self, replicas: int) -> None:
        """A write of the service: tasks go at once, new ones run after their start-up time."""
        self.version += 1
        self._version_since = self.now
        while len(self._replicas) < replicas:
            self._slots += 1
            at = self.now + self._terms.start_time
            self._replicas.append(_Replica(self._slots, self.now, at))
        # Swarm takes tasks that do not run yet first.
        self._replicas.sort(key=lambda one: (one.runs_at > self.now, one.slot))
        del self._replicas[replicas:]
        self.wanted = replicas
        self._view = None
        self._count()

    def _stretch(self, until: float) -> None:
        seconds = until - self.now
        before = self.backlog
        grown = before + (self.load - self.running) * seconds
        room = self._room()
        self.backlog = min(max(grown, 0.0), max(room, 0.0))
        refused = max(0.0, grown - room) if self.load > self.running else 0.0
        self._ledger.add(
            Stretch(
                seconds,
                self.load,
                self.running,
                self.wanted,
                waiting=max(before, self.backlog),
                refused=refused,
            )
        )
        self.now = until
        self._snap()
        if self._point + 1 < len(self._times) and until >= self._times[self._point + 1]:
            self._ledger.point(self.load, self.running)
            self._point += 1
        self._count()

    def _room(self) -> float:
        return self._terms.queue * max(self.running, 1)

    def _snap(self) -> None:
        """What binary fractions leave of an empty or a full queue."""
        if self.backlog < _NOTHING:
            self.backlog = 0.0
        elif self._room() - self.backlog < _NOTHING:
            self.backlog = self._room()

    def _backlog_turn(self) -> float | None:
        """Seconds until the queue is empty or full; None where it will not be."""
        net = self.load - self.running
        if net < 0 < self.backlog:
            return max(self.backlog / -net, _NOTHING)
        if net > 0 and self.backlog < self._room():
            return max((self._room() - self.backlog) / net, _NOTHING)
        return None

    def _next_start(self) -> float:
        return min((one.runs_at for one in self._replicas if one.runs_at > self.now),
                   default=math.inf)  # fmt: skip

    def _count(self) -> None:
        running = sum(one.runs_at <= self.now for one in self._replicas)
        if running > self.running:
            self.started_at = self.now
        if running != self.running:
            self.running = running
            self.supply.append((self.now, running))
            self._view = None
            self.backlog = min(self.backlog, self._room())
        self._look()

    def _look(self) -> None:
        if self.running == 0:
            level = 0.0
        elif self.backlog > 0:
            level = 1.0
        else:
            level = min(1.0, self.load / self.running)
        if level != self.level:
            self.level = level
            self._on_level(self.now, level)

    def _seen(self) -> ServiceView:
        cpu, memory = self._terms.cpu, self._terms.memory
        self._running_ids = frozenset(
            str(one.slot) for one in self._replicas if one.runs_at <= self.now
        )
        size = None if memory is None else round(memory)
        service = Service(
            id=SERVICE_ID,
            name=self._name,
            version=self.version,
            mode=ServiceMode.REPLICATED,
            replicas=self.wanted,
            template=_TEMPLATE,
            cpu_reservation=cpu,
            cpu_limit=cpu,
            memory_reservation=size,
            memory_limit=size,
        )
        return ServiceView(
            service,
            tuple(self._task(one) for one in self._replicas),
            {},
            version_since=self._version_since,
            tasks_read_at=self.now,
            running_since={
                str(one.slot): one.runs_at
                for one in self._replicas
                if START - 1 < one.runs_at <= self.now
            },
        )

    def _task(self, one: _Replica) -> Task:
        runs = one.runs_at <= self.now
        return Task(
            id=str(one.slot),
            service_id=SERVICE_ID,
            slot=one.slot,
            node_id=NODE,
            state=TaskState.RUNNING if runs else TaskState.STARTING,
            desired_state=TaskState.RUNNING,
            since=self.wall(one.runs_at if runs else one.written) if one.written else 0.0,
            created_at=self.wall(one.written) if one.written else 0.0,
            template=_TEMPLATE,
        )
