"""One agent: its parts, their one task tree, and their orderly stop."""

import asyncio
from collections.abc import Callable

import structlog

from monitor.act.writer import Writer
from monitor.agent.actor import LeaderActs
from monitor.agent.facts import EventLag, agent_facts, build_info
from monitor.agent.identity import Identity
from monitor.agent.lag import LoopLag
from monitor.agent.reports import Reports
from monitor.agent.series import Series
from monitor.agent.settings import Settings
from monitor.agent.status import AgentState
from monitor.cluster.mirror import Mirror
from monitor.control.controller import Controller
from monitor.engine.client import DockerEngine
from monitor.engine.liveness import Liveness
from monitor.engine.stream import EventStream
from monitor.export.agent_metrics import AgentMetrics
from monitor.export.cluster import ClusterExposition
from monitor.export.exposition import Exposition
from monitor.export.facts import AgentFacts
from monitor.export.local import LocalExposition
from monitor.model.event import Event
from monitor.model.rule import RuleSet
from monitor.ports.clock import Clock
from monitor.rulefile.watch import WatchedRules
from monitor.usage.sampler import Sampler
from monitor.web.app import build_app
from monitor.web.server import serve

SAMPLES_EVERY = 1.0
WRITES_MAY_TAKE = 8.0
"""Seconds that writes in flight get to end once the agent is to stop; it stops within 10 s."""


class Agent:
    """Built inside the running loop; `run` lives until `stop` is set."""

    def __init__(
        self, settings: Settings, engine: DockerEngine, clock: Clock, revision: str = ""
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._clock = clock
        self._log = structlog.get_logger("monitor.agent")
        self._stopping = False
        self.identity = Identity(engine, settings.own_service_id)
        self.mirror = Mirror(engine, clock, self._changed)
        self.actorship = LeaderActs(self.mirror, lambda: self.identity.node_id)
        self.sampler = Sampler(engine, clock, settings.proc_root, settings.cgroup_root)
        self.stream = EventStream(engine, clock, self._heard, self._resync)
        self.liveness = Liveness(engine, clock, self._engine_up, on_recovery=self.stream.reconnect)
        self.rules = WatchedRules(settings.rules, self._use_rules, clock=clock)
        self._loop_lag = LoopLag(clock)
        self._event_lag = EventLag(clock)
        self.metrics = AgentMetrics(self._facts, build_info(revision))
        self._reports = Reports(self.metrics, clock)
        self.controller = Controller(
            views=self.mirror,
            usage=self.sampler,
            writer=Writer(engine, self.actorship, clock, self.identity.own_service_id),
            actorship=self.actorship,
            clock=clock,
            observer=self._reports,
            dry_run=settings.dry_run,
        )
        budget = self.metrics.budget
        cluster = ClusterExposition(
            since=clock.now().wall,
            task_labels=settings.task_labels,
            service_labels=settings.service_labels,
            node_labels=settings.node_labels,
            budget=budget,
        )
        local = LocalExposition(task_labels=settings.task_labels, budget=budget)
        self._series = Series(self.identity, self.mirror, self.sampler, cluster, local)
        self.state = AgentState(
            identity=self.identity,
            mirror=self.mirror,
            controller=self.controller,
            rules=self.rules,
            sampler=self.sampler,
            liveness=self.liveness,
            actorship=self.actorship,
            exposition=Exposition(self.metrics, local, cluster, clock.now),
            refresh_exposition=self._series.refresh,
            clock=clock,
        )

    async def run(
        self, stop: asyncio.Event, started: Callable[[int], None] = lambda _: None
    ) -> None:
        """Runs everything until `stop` is set; `started` is told the HTTP port.

        Raises CannotListen, or an ExceptionGroup of whatever nobody expected.
        """
        app = build_app(self.state)
        async with serve(app, self._settings.host, self._settings.port) as port:
            started(port)
            async with asyncio.TaskGroup() as group:
                parts = [
                    group.create_task(run(), name=name)
                    for name, run in (
                        ("liveness", self.liveness.run),
                        ("identity", self.identity.run),
                        ("events", self.stream.run),
                        ("mirror", self.mirror.run),
                        ("sampler", self.sampler.run),
                        ("rules", self.rules.run),
                        ("loop lag", self._loop_lag.run),
                        ("ticks", self._tick),
                    )
                ]
                control = group.create_task(self.controller.run(), name="control")
                await stop.wait()
                await self._finish_writes(control)
                for part in parts:
                    part.cancel()

    async def _finish_writes(self, control: asyncio.Task[None]) -> None:
        self.controller.stop()
        _, pending = await asyncio.wait({control}, timeout=WRITES_MAY_TAKE)
        if pending:
            self._log.warning("writes in flight are given up; what became of them is not known")
            control.cancel()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(SAMPLES_EVERY)
            self.controller.samples_arrived()

    def _changed(self, service_ids: frozenset[str]) -> None:
        self._series.changed(service_ids)
        self.controller.touch(service_ids)

    def _heard(self, event: Event) -> None:
        self._event_lag.heard(event)
        self.mirror.hint(event)
        self.sampler.hint(event)
        self._series.heard(event)

    def _resync(self, why: str) -> None:
        self.mirror.resync(why)
        self.sampler.resync()

    def _engine_up(self, up: bool) -> None:
        if up:
            self.identity.ask_again()

    def _use_rules(self, rules: RuleSet) -> None:
        self._reports.use_rules(rules)
        self.controller.use_rules(rules)

    def _facts(self) -> AgentFacts:
        return agent_facts(
            identity=self.identity,
            engine=self._engine,
            liveness=self.liveness,
            stream=self.stream,
            event_lag=self._event_lag,
            mirror=self.mirror,
            sampler=self.sampler,
            rules=self.rules,
            actorship=self.actorship,
            loop_lag=self._loop_lag,
        )
