"""What an agent does, without what it shows: it hears, mirrors, samples, decides and writes."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from monitor.act.stop_desk import StopDesk
from monitor.act.writer import Writer
from monitor.agent.acting import Acting, Agreement
from monitor.agent.actor import LeaderActs
from monitor.agent.ends_watch import EndsWatch
from monitor.agent.evidence import GatheredEvidence
from monitor.agent.hands import Hands, by_kind
from monitor.agent.health_log import HealthLog
from monitor.agent.holding import MayHold
from monitor.agent.identity import Identity
from monitor.agent.layouts import Layouts
from monitor.agent.log_desk import LogDesk
from monitor.agent.node_sight import NodeSight
from monitor.agent.noting import Noting
from monitor.agent.remains import Remains
from monitor.agent.restarts_log import RestartsLog
from monitor.agent.shared import Shared
from monitor.agent.task_logs import TaskLogs
from monitor.cluster.arrivals import Arrivals
from monitor.cluster.mirror import Mirror
from monitor.control.assignment import NO_LABELS, LabelSource
from monitor.control.by_hand import ByHand
from monitor.control.ceiling import DEFAULT_WRITES_PER_MINUTE
from monitor.control.controller import Controller
from monitor.control.moves import MovesUnderWay
from monitor.control.node_control import NodeControl
from monitor.control.observer import Observer
from monitor.control.restarts import DEFAULT_RESTARTS_AT_ONCE
from monitor.control.survival import Survival
from monitor.engine.liveness import Liveness
from monitor.engine.stream import EventStream
from monitor.fleet.lease import Lease
from monitor.model.decision import Decision
from monitor.model.event import Event
from monitor.model.logs import READ_LOGS
from monitor.ports.actorship import Actorship
from monitor.ports.bounds import Calendar
from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.ports.numbers import NumberReader
from monitor.ports.usage import UsageSource
from monitor.sources.calendar import CronCalendar
from monitor.sources.numbers import Numbers
from monitor.store.deploy_keeper import DeployKeeper
from monitor.store.state_config import StateConfig
from monitor.usage.everywhere import EverywhereUsage
from monitor.usage.remote import RemoteUsage
from monitor.usage.sampler import Sampler

SAMPLES_EVERY = 1.0
WRITES_MAY_TAKE = 5.0
"""Seconds that writes in flight get to end once the agent is to stop; it stops within 10 s."""

DEPLOYS = "deploys"
"""The folder of what services were before, below that of the journal."""

STORING_MAY_TAKE = 1.0
"""Seconds for what must survive, after that; giving up the lease takes 2 s at most."""


class Core:
    """Built inside the running loop; `run` lives until `stop` is set.

    engine: that of the node the agent runs on. own_service_id: the service it runs as; None
    lets it find out. usage: what tasks use; None: this node's as the sampler reads it, and other
    nodes' as `remote` was told. shared: what makes the agents of the Swarm act as one; None: this
    one acts as long as its node leads the managers, and what it remembers ends with it.
    numbers: of whole services; None: read from Prometheus (at `prometheus` where a query names no
    server) and over HTTP. calendar: the bounds by schedules. label_source: the rules in a
    service's labels. on_change: called with the ids of services whose view is another one, or
    that are gone. on_event: called with each event of the engine, once. Both before the parts
    here learn of it. before_write: awaited with each decision that is about to be written.
    data: where what services were before is kept; None: in memory alone.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        *,
        observer: Observer,
        on_change: Callable[[frozenset[str]], None] = lambda _: None,
        on_event: Callable[[Event], None] = lambda _: None,
        own_service_id: str | None = None,
        dry_run: bool = False,
        writes_per_minute: int = DEFAULT_WRITES_PER_MINUTE,
        restarts_at_once: int = DEFAULT_RESTARTS_AT_ONCE,
        usage: UsageSource | None = None,
        numbers: NumberReader | None = None,
        prometheus: str | None = None,
        calendar: Calendar | None = None,
        label_source: LabelSource = lambda _: NO_LABELS,
        shared: Shared | None = None,
        before_write: Callable[[Decision], Awaitable[None]] | None = None,
        proc_root: Path = Path("/proc"),
        cgroup_root: Path = Path("/sys/fs/cgroup"),
        data: Path | None = None,
    ) -> None:
        self._clock = clock
        self._on_change = on_change
        self._on_event = on_event
        self._log = structlog.get_logger("monitor.agent")
        self.identity = Identity(engine, own_service_id, on_change=self._moved)
        self._watch = EndsWatch(clock, lambda: self.mirror)
        self.ends = self._watch.ends
        self.mirror = Mirror(
            engine,
            clock,
            self._changed,
            on_tasks=self._watch.tasks,
            on_nodes=self._nodes_changed,
            engine_up=self._answers,
        )
        self._arrivals = Arrivals()
        self._layouts = Layouts(self.mirror, self._arrivals)
        self.remains = Remains(engine, clock, self._watch.heard)
        self.sampler = Sampler(engine, clock, proc_root, cgroup_root, on_oom=self.remains.oom)
        self.remote = RemoteUsage(clock, node_of_task=self.mirror.node_of_task)
        self.usage = usage or EverywhereUsage(self.sampler, self.remote)
        self.lease: Lease | LeaderActs = LeaderActs(self.mirror, lambda: self.identity.node_id)
        self.actorship: Actorship = self.lease
        self.survival: Survival | None = None
        self.survival_failures = 0
        self._was_fresh = False
        self._unkept_said = False
        if shared is not None:
            self._share(engine, clock, shared)
        self._numbers = Numbers(clock, prometheus=prometheus)
        self._numbers_given = numbers is not None
        self.calendar = CronCalendar() if calendar is None else calendar
        self.stream = EventStream(
            engine,
            clock,
            self._heard,
            self._resync,
            on_lost=self._stream_lost,
            engine_up=self._answers,
        )
        self.liveness = Liveness(engine, clock, self._engine_up, on_recovery=self.stream.reconnect)
        self.deploys = DeployKeeper(None if data is None else data / DEPLOYS)
        self._health, restarts = HealthLog(), RestartsLog()
        self.stop_desk = StopDesk(
            engine,
            clock,
            node_id=lambda: self.identity.node_id,
            own_service_id=self.identity.own_service_id,
            own_container_id=self.identity.own_container_id,
        )
        logs = LogDesk(engine, clock)
        self.carry_out = by_kind({READ_LOGS: logs.carry_out}, self.stop_desk.carry_out)
        self.hands = Hands(lambda: self.identity.node_id, self.carry_out)
        self.task_logs = TaskLogs(self.hands, clock, self.mirror.services, self.lease.term)
        self._writer = Writer(
            engine,
            self.actorship,
            clock,
            self.identity.own_service_id,
            self.hands,
            self.deploys.before,
        )
        self.controller = Controller(
            views=self.mirror,
            usage=self.usage,
            numbers=self._numbers if numbers is None else numbers,
            calendar=self.calendar,
            writer=self._writer,
            actorship=self.actorship,
            clock=clock,
            observer=Noting(observer, self.ends, self.mirror.stopped_by_us, restarts, clock),
            dry_run=dry_run,
            writes_per_minute=writes_per_minute,
            restarts_at_once=restarts_at_once,
            label_source=label_source,
            survival=self.survival,
            before_write=before_write,
            evidence=GatheredEvidence(
                mirror=self.mirror,
                ends=self.ends,
                health=self._health,
                restarts=restarts,
                deploys=self.deploys,
                own_node_id=lambda: self.identity.node_id,
                peers=None if shared is None else shared.peers,
                parked=self._parked,
                layouts=self._layouts,
                rebalancing=lambda one, at: self._moves.other(one, self.mirror.services(), at),
            ),
        )
        self._moves = MovesUnderWay(self.controller.book, self.controller.writes)
        self.nodes = NodeControl(
            controller=self.controller,
            evidence=NodeSight(
                mirror=self.mirror,
                ends=self.ends,
                identity=self.identity,
                sampler=self.sampler,
                remote=self.remote,
                peers=None if shared is None else shared.peers,
            ),
            writer=self._writer,
            observer=observer,
            dry_run=dry_run,
            survival=self.survival,
            before_write=before_write,
        )
        self.by_hand = ByHand(
            self.controller.writes, self.actorship, clock, self.survival, lambda: dry_run
        )

    def _share(self, engine: Engine, clock: Clock, shared: Shared) -> None:
        """Acting goes by a lease that all managers' agents see, and what must survive is kept."""
        may_hold = MayHold(self.identity, self.mirror, clock)
        self.lease = Lease(
            engine,
            clock,
            boot_id=shared.boot_id,
            node_id=lambda: self.identity.node_id,
            node_name=lambda: self.identity.node_name,
            may_hold=may_hold,
            digest=shared.digest,
            on_change=self._lease_changed,
            first_ever=lambda: self.survival is not None and self.survival.nothing_found,
        )
        self.survival = Survival(
            StateConfig(engine), self.lease, clock, agent=shared.boot_id, on_problem=self._unkept
        )
        self.actorship = Acting(
            self.lease, self.survival, Agreement(clock, shared.digest, shared.peers)
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Raises an ExceptionGroup of whatever nobody expected; no fault of the engine is."""
        async with self.stop_desk.open(), asyncio.TaskGroup() as group:
            parts = [
                group.create_task(run(), name=name)
                for name, run in (
                    ("liveness", self.liveness.run),
                    ("identity", self.identity.run),
                    ("events", self.stream.run),
                    ("mirror", self.mirror.run),
                    ("sampler", self.sampler.run),
                    ("numbers", self._read_numbers),
                    ("ticks", self._tick),
                    ("deploys", self.deploys.run),
                    ("remains", self.remains.run),
                    ("logs", self.task_logs.run),
                )
            ]
            if isinstance(self.lease, Lease) and self.survival is not None:
                parts.append(group.create_task(self.lease.run(), name="lease"))
                parts.append(group.create_task(self.survival.run(), name="survival"))
            control = {
                group.create_task(self.controller.run(), name="control"),
                group.create_task(self.nodes.run(), name="node rules"),
            }
            await stop.wait()
            await self._finish_writes(control)
            await self._hand_over()
            for part in parts:
                part.cancel()

    async def _finish_writes(self, control: set[asyncio.Task[None]]) -> None:
        self.controller.stop()
        self.nodes.stop()
        _, pending = await asyncio.wait(control, timeout=WRITES_MAY_TAKE)
        if pending:
            self._log.warning("writes in flight are given up; what became of them is not known")
        for one in pending:
            one.cancel()

    async def _hand_over(self) -> None:
        """The next agent finds everything, and need not wait for the lease to run out."""
        if self.survival is not None:
            try:
                async with asyncio.timeout(STORING_MAY_TAKE):
                    await self.survival.finish()
            except TimeoutError:
                self._log.warning("what must survive could not be stored at the end")
        if isinstance(self.lease, Lease):
            await self.lease.release()

    async def _read_numbers(self) -> None:
        if not self._numbers_given:
            await self._numbers.run()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(SAMPLES_EVERY)
            self.controller.samples_arrived()

    def _changed(self, service_ids: frozenset[str]) -> None:
        self._look_at_actorship()
        self._watch.services(service_ids)
        self._keep_deploys(service_ids)
        self._on_change(service_ids)
        self.controller.touch(sorted(service_ids))  # the order of a set differs from run to run

    def _keep_deploys(self, service_ids: frozenset[str]) -> None:
        """A worker sees no services: that does not mean that they are gone."""
        if self.mirror.fresh:
            there = self.mirror.services()
            self.deploys.seen(there[one] for one in service_ids if one in there)
            self.deploys.gone((service_ids | self.deploys.known()) - there.keys())
            for gone in service_ids - there.keys():
                self._health.forget(gone)
                self._layouts.forget(gone)

    def _parked(self, service_id: str) -> tuple[str, int] | None:
        return self.controller.book.parked(service_id)

    def _heard(self, event: Event) -> None:
        self._on_event(event)
        self._watch.heard(event)
        self._health.heard(event, self._clock.now().mono)
        self.task_logs.heard(event)
        self.mirror.hint(event)
        self.sampler.hint(event)
        if isinstance(self.lease, Lease) and self.survival is not None:
            self.lease.hint(event)
            self.survival.heard(event)

    def _look_at_actorship(self) -> None:
        if isinstance(self.lease, LeaderActs):
            self.lease.look()
        elif not self._was_fresh and self.mirror.fresh:
            self._was_fresh = True
            self.lease.reconsider()  # it waited for the first list

    def _lease_changed(self) -> None:
        if self.survival is not None:
            self.survival.hint()
        self.nodes.touch()
        self.controller.touch(sorted(self.controller.ruled_services))

    def _unkept(self, problem: str) -> None:
        """An engine that is away is told of elsewhere, once."""
        if problem:
            self.survival_failures += 1
            if self.liveness.up and self.mirror.fresh:
                self._log.warning(problem)
                self._unkept_said = True
        elif self._unkept_said:
            self._log.info("what must survive a restart can be read and stored again")
            self._unkept_said = False

    def heard_elsewhere(self, event: Event) -> None:
        """An event of a container on another node, from the agent there."""
        if event.type == "container":
            self._watch.heard(event)
            if event.observed:
                return  # no news of what runs
            self._health.heard(event, self._clock.now().mono)
            self.task_logs.heard(event)
            self.mirror.hint(event)

    def missed_elsewhere(self, node_id: str) -> None:
        """Events of another node may be missing: its stream began anew."""
        self._watch.cut(node_id)
        self.mirror.doubt_node(node_id)

    def _resync(self, why: str) -> None:
        self.mirror.resync(why)
        self.sampler.resync()
        self.remains.look()

    def _nodes_changed(self, node_ids: frozenset[str]) -> None:
        if self._arrivals.seen(self.mirror.nodes(), self._clock.now().mono):
            self.controller.touch(sorted(self.controller.ruled_services))
        self._watch.nodes()
        self.nodes.touch()
        self._look_at_actorship()
        own = self.identity.node_id
        if own in node_ids or own not in self.mirror.nodes():
            self.identity.ask_again()

    def _moved(self) -> None:
        # No event tells that the engine left its Swarm: what is mirrored may be another one's.
        self.mirror.resync("this node's part in the Swarm changed")

    def _answers(self) -> bool:
        return self.liveness.up

    def _stream_lost(self) -> None:
        self._watch.cut(self.identity.node_id)
        self.liveness.ask_now()

    def _engine_up(self, up: bool) -> None:
        if up:
            self.identity.ask_again()
        else:
            # It may be slow or gone: a read tells, long before the next list is due.
            self.mirror.resync("the engine does not answer")
