"""The mirror: nodes, services and tasks of the Swarm as a manager tells them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NoReturn

import structlog

from monitor.cluster.agenda import Agenda
from monitor.cluster.convergence import unconverged
from monitor.cluster.drift import Drift
from monitor.cluster.holdings import Changes, Holdings
from monitor.cluster.occupancy import Occupancy
from monitor.cluster.reads import ServiceRead, read_all, read_some
from monitor.cluster.stale import tells_of_tasks
from monitor.cluster.standing import MirrorState, Retries, standing_after
from monitor.model.event import Event
from monitor.model.node import Node
from monitor.model.service import Service
from monitor.model.task import Task
from monitor.model.view import ServiceView
from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.ports.errors import DeadlineExceeded, EngineError, NotAManager, Unreachable

OnChange = Callable[[frozenset[str]], None]
OnTasks = Callable[[Service, Sequence[Task] | None, Sequence[Task]], None]

# A read without an answer for so long: what is held is not called fresh any more.
_OVERDUE = 10.0

# A demotion is told of at once and takes some seconds.
_ROLE_TAKES = 3.0

_OUT_OF_TOUCH = (Unreachable, DeadlineExceeded, NotAManager)

_log = structlog.get_logger("monitor.cluster.mirror")


class Mirror:
    """Held facts are written by `run()` alone; all else here only reads, or leaves a mark.

    Events are hints (`hint`): they put facts in doubt, which are then read again. Lists are the
    truth: every `relist_interval` seconds, and after `resync`. Services that have not converged
    are read every 1 to 2 s, since no event tells of a task.

    on_change: called with the ids of services whose view is another one, also by being gone,
        or because the mirror lost or regained touch.
    on_tasks: called for a service whose tasks changed, with those before and those now; before
        is None where the Swarm had not been listed yet. Tasks that did not change are the very
        same objects in both. Called before on_change.
    on_nodes: called with the ids of nodes that changed or went.
    engine_up: whether the Engine answers at all; while it does not, whoever asks it says so, and
        that the mirror lost touch is no news.
    The callbacks are synchronous; their exceptions end `run`.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        on_change: OnChange,
        relist_interval: float = 30.0,
        *,
        on_tasks: OnTasks | None = None,
        on_nodes: OnChange | None = None,
        engine_up: Callable[[], bool] | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._on_change = on_change
        self._on_tasks = on_tasks
        self._on_nodes = on_nodes
        self._engine_up = engine_up
        self._said_lost = False
        self._holdings = Holdings()
        self._agenda = Agenda(relist_interval)
        self._drift = Drift()
        self._retries = Retries(clock)
        self._wake = asyncio.Event()
        self._retry = asyncio.Event()
        self._ready = asyncio.Event()
        self._in_touch = False
        self._asked_at: float | None = None
        self._lost_at: float | None = None
        self.state = MirrorState.UNKNOWN
        self.why = "the Swarm has not been asked yet"
        self.last_sync_mono: float | None = None
        self.last_sync_wall: float | None = None
        self.last_list_seconds = 0.0
        self.resyncs_total = 0

    # What is held

    def services(self) -> Mapping[str, Service]:
        """By id; a live, read-only look at what is held."""
        return self._holdings.services

    def nodes(self) -> Mapping[str, Node]:
        """By id; a snapshot that does not change any more."""
        return self._holdings.nodes

    def view(self, service_id: str, *, room: bool = True) -> ServiceView | None:
        """room: whether it is worked out how much room the nodes have for the service."""
        return self._holdings.view(service_id, fresh=self.fresh, room=room)

    def taken(self) -> Occupancy:
        """What all tasks take of their nodes; another object after each change."""
        return self._holdings.taken

    def node_of_task(self, task_id: str) -> str | None:
        """The id of the node it was assigned to; None for a task that is not known."""
        return self._holdings.node_of.get(task_id)

    def by_name(self, name: str) -> ServiceView | None:
        """The view of the service with this very name."""
        service_id = self._holdings.by_name(name)
        return None if service_id is None else self.view(service_id)

    @property
    def fresh(self) -> bool:
        """In touch with a manager: all was listed since touch was lost, and no read is overdue."""
        asked = self._asked_at
        return self._in_touch and (asked is None or self._now() - asked < _OVERDUE)

    @property
    def drift_total(self) -> Mapping[str, int]:
        """Objects that re-lists had to correct though no event told of them, by kind."""
        return self._drift.total(self._now())

    async def wait_ready(self) -> None:
        """Return once the Swarm was listed, or this node is known to be no manager."""
        await self._ready.wait()

    # Marks

    def hint(self, event: Event) -> None:
        """Something happened: what the event is about is read again soon."""
        now = self._now()
        match event.type:
            case "service" if event.actor_id:
                self._mark(event.actor_id, now, whole=True)
            case "container" if event.service_id and tells_of_tasks(event):
                self._mark(event.service_id, now, whole=False)
            case "node" if event.actor_id:
                self._drift.hinted("node", event.actor_id)
                moved = {"state.new", "availability.new"} & event.attributes.keys()
                if self._agenda.node(event.actor_id, now, moved=bool(moved)):
                    self._wake.set()
                if "role.new" in event.attributes:
                    # Should it be this node's: its engine will tell nothing more of the Swarm.
                    self._agenda.list_within(_ROLE_TAKES, now)
                if self.state is MirrorState.WORKER:
                    self._retry.set()

    def stopped_by_us(self, service_id: str, task_id: str) -> None:
        """That task was, or may have been, stopped by a rule: its end is no failure."""
        self._holdings.stopped_by_us(service_id, task_id, self._now())

    def expect(self, service_ids: Iterable[str]) -> None:
        """These services were just written to: they are read again at once."""
        for service_id in service_ids:
            self._mark(service_id, self._now(), whole=True, urgent=True)

    def doubt_node(self, node_id: str) -> None:
        """Events of that node may be missing: what has tasks there is read again soon."""
        now = self._now()
        for service_id in self._holdings.services_on({node_id}):
            self._mark(service_id, now, whole=False)

    def resync(self, reason: str) -> None:
        """Events may be missing: list all as soon as may be. Calls before that are one."""
        self._agenda.ask(reason)
        self._wake.set()
        self._retry.set()

    def _mark(self, service_id: str, now: float, *, whole: bool, urgent: bool = False) -> None:
        self._drift.hinted("task", service_id)
        if whole:
            self._drift.hinted("service", service_id)
        if self._agenda.service(service_id, now, whole=whole, urgent=urgent):
            self._wake.set()

    # The one task that writes

    async def run(self) -> NoReturn:
        """Until cancelled; no fault of the Engine ends it."""
        while True:
            try:
                if self.state is MirrorState.WORKER:
                    await self._engine.nodes()  # refused in one call what a list takes three for
                await self._list()
                while True:
                    await self._step()
            except EngineError as fault:
                await self._lose(fault)
            await self._pause()

    async def _step(self) -> None:
        now = self._now()
        if self._agenda.list_due(now):
            await self._list()
            return
        nodes_due, wanted = self._agenda.due(now)
        if not nodes_due and not wanted:
            await self._sleep_until(self._agenda.next_at(now))
            return
        self._asked_at = now
        try:
            if nodes_due:
                await self._read_nodes()
            if wanted:
                await read_some(self._engine, self._clock, wanted, self._sending, self._take)
        except _OUT_OF_TOUCH:
            raise
        except EngineError as fault:
            # One odd answer: ask for all in a while. Should that fail too, touch is lost.
            _log.debug("a read failed", why=str(fault))
            self._agenda.ask("a read failed", not_before=self._now() + 5.0)
        finally:
            self._asked_at = None

    async def _sleep_until(self, at: float) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout_at(at):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _list(self) -> None:
        sent = self._now()
        first = self.last_sync_mono is None
        announced = self._agenda.listing(sent)
        self._asked_at = sent
        try:
            full = await read_all(self._engine, self._clock)
        finally:
            self._asked_at = None
        now = self._clock.now()
        self.last_list_seconds = now.mono - sent
        self.last_sync_mono, self.last_sync_wall = sent, now.wall - self.last_list_seconds
        self.resyncs_total += 1
        changes = self._holdings.take_all(full.nodes, full.services, full.tasks, sent, now.mono)
        if not first:
            self._suspect(changes, announced, now.mono)
        self._agenda.listed(now.mono, self.last_list_seconds)
        self._found(changes, now.mono)
        for service_id in announced:
            if service_id not in changes.touched:
                self._pace(service_id, now.mono, changed=False)
        self._publish(changes, now.mono)
        self._drift.total(now.mono)

    def _suspect(self, changes: Changes, announced: Mapping[str, None], now: float) -> None:
        """Whatever the list corrected and nothing had put in doubt."""
        for node_id in changes.nodes:
            if not self._agenda.node_in_doubt(node_id) and node_id not in announced:
                self._drift.corrected("node", node_id, now)
        for service_id in changes.services:
            if not self._agenda.in_doubt(service_id) and service_id not in announced:
                self._drift.corrected("service", service_id, now)
        for service_id, count in changes.tasks.items():
            if not self._agenda.in_doubt(service_id) and service_id not in announced:
                self._drift.corrected("task", service_id, now, count)

    async def _read_nodes(self) -> None:
        moved = self._agenda.reading_nodes()
        nodes = await self._engine.nodes()
        now = self._now()
        self._publish(self._holdings.take_nodes(nodes), now)
        for service_id in self._holdings.services_on(moved) if moved else ():
            self._mark(service_id, now, whole=False)

    def _sending(self, service_id: str) -> None:
        self._agenda.reading(service_id, self._now())

    def _take(self, read: ServiceRead) -> None:
        now = self._now()
        if read.gone:
            self._publish(self._holdings.remove(read.service_id), now)
            return
        known = read.service_id in self._holdings.services
        changes = Changes()
        if read.service is not None:
            changes = self._holdings.take_service(read.service, now)
        elif not known:
            # Its create event was lost, but one of its containers told of it.
            self._agenda.service(read.service_id, now, whole=True)
            return
        of_tasks = self._holdings.take_tasks(read.service_id, read.tasks, read.sent, now)
        changes.tasks, changes.before = of_tasks.tasks, of_tasks.before
        changes.touched |= of_tasks.touched
        if not changes.touched:
            self._pace(read.service_id, now, changed=False)
        self._publish(changes, now)

    def _publish(self, changes: Changes, now: float) -> None:
        for service_id in changes.touched:
            self._pace(service_id, now, changed=True)
        if changes.nodes and self._on_nodes is not None:
            self._on_nodes(frozenset(changes.nodes))
        if self._on_tasks is not None:
            for service_id, (service, before) in changes.before.items():
                view = self._holdings.view(service_id, fresh=True, room=False)
                self._on_tasks(service, before, view.tasks if view is not None else ())
        if changes.touched:
            self._on_change(frozenset(changes.touched))

    def _pace(self, service_id: str, now: float, *, changed: bool) -> None:
        """Decide whether and when to read the service again unasked."""
        view = self._holdings.view(service_id, fresh=True, room=False)
        if view is None:
            self._agenda.forget(service_id)
        else:
            self._agenda.pace(service_id, now, unconverged=unconverged(view, now), changed=changed)

    def _found(self, changes: Changes, now: float) -> None:
        """The full list is there: the mirror is in touch."""
        self._retries.reset()
        self._ready.set()
        if self._in_touch:
            return
        changes.touched.update(dict.fromkeys(self._holdings.services))
        away = round(now - self._lost_at, 3) if self._lost_at is not None else None
        if self.state is MirrorState.UNREACHABLE and away is not None:
            _log.info("in touch with the Swarm again", away_seconds=away)
        elif self.state is not MirrorState.MANAGER:
            _log.info("mirroring the Swarm", services=len(self._holdings.services))
        self._in_touch, self._lost_at, self._said_lost = True, None, False
        self.state, self.why = MirrorState.MANAGER, ""

    async def _lose(self, fault: EngineError) -> None:
        """No more touch. On a manager what is held stays, as old facts; else it is dropped."""
        if self._lost_at is None:
            self._lost_at = self._now()
        if self._in_touch:
            self._in_touch = False
            self._on_change(frozenset(self._holdings.services))
        before = self.state
        if before is not MirrorState.WORKER:
            self.state, self.why = MirrorState.UNREACHABLE, str(fault)
        self.state, self.why = await standing_after(fault, self._engine)
        self._say_lost(before)
        if self.state is MirrorState.WORKER:
            self._ready.set()
            self._empty()

    def _say_lost(self, before: MirrorState) -> None:
        """One line per loss."""
        if self.state is MirrorState.WORKER:
            if before is not MirrorState.WORKER:
                _log.info("no Swarm to mirror", why=self.why)
        elif not self._said_lost and (self._engine_up is None or self._engine_up()):
            self._said_lost = True
            _log.warning("not in touch with the Swarm", state=self.state.value, why=self.why)

    def _empty(self) -> None:
        services, nodes = frozenset(self._holdings.services), frozenset(self._holdings.nodes)
        self._holdings.clear()
        self._agenda.clear()
        self.last_sync_mono = self.last_sync_wall = None
        if nodes and self._on_nodes is not None:
            self._on_nodes(nodes)
        if services:
            self._on_change(services)

    async def _pause(self) -> None:
        """Between attempts; `resync` and, on a worker, events of nodes cut it short."""
        self._retry.clear()
        try:
            async with asyncio.timeout(self._retries.pause(self.state)):
                await self._retry.wait()
        except TimeoutError:
            pass

    def _now(self) -> float:
        return self._clock.now().mono
