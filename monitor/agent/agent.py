"""One agent: what it does, what it shows, and their orderly stop."""

import asyncio
from collections.abc import Callable

from monitor.agent.core import Core
from monitor.agent.facts import EventLag, agent_facts, build_info, operator_facts
from monitor.agent.lag import LoopLag
from monitor.agent.reports import Reports
from monitor.agent.series import Series
from monitor.agent.settings import Settings
from monitor.agent.status import AgentState
from monitor.engine.calls import CallStats
from monitor.export.agent_metrics import AgentMetrics
from monitor.export.cluster import ClusterExposition
from monitor.export.exposition import Exposition
from monitor.export.facts import AgentFacts
from monitor.export.local import LocalExposition
from monitor.model.event import Event
from monitor.model.rule import RuleSet
from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.rulefile.labels import label_rules
from monitor.rulefile.watch import WatchedRules
from monitor.sources.calendar import CronCalendar
from monitor.web.app import build_app
from monitor.web.door import Door, TokenSource
from monitor.web.server import serve


class Agent:
    """Built inside the running loop; `run` lives until `stop` is set.

    calls: what the calls to `engine` came to, where it counts them.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        clock: Clock,
        *,
        calls: CallStats | None = None,
        revision: str = "",
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._calls = calls or CallStats()
        self.rules = WatchedRules(settings.rules, self._use_rules, clock=clock)
        self._door = Door(TokenSource(settings.token_file, settings.token))
        self._loop_lag = LoopLag(clock)
        self._event_lag = EventLag(clock)
        self.metrics = AgentMetrics(self._facts, build_info(revision))
        calendar = CronCalendar()
        self._reports = Reports(
            self.metrics, clock, lambda: self.core.controller.assignments, calendar
        )
        self.core = Core(
            engine,
            clock,
            observer=self._reports,
            on_change=self._changed,
            on_event=self._heard,
            own_service_id=settings.own_service_id,
            dry_run=settings.dry_run,
            writes_per_minute=settings.writes_per_minute,
            prometheus=settings.prometheus,
            calendar=calendar,
            label_source=lambda service: label_rules(service, settings.labels),
            proc_root=settings.proc_root,
            cgroup_root=settings.cgroup_root,
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
        core = self.core
        self._series = Series(core.identity, core.mirror, core.sampler, cluster, local)
        self.state = AgentState(
            identity=core.identity,
            mirror=core.mirror,
            controller=core.controller,
            rules=self.rules,
            sampler=core.sampler,
            liveness=core.liveness,
            actorship=core.actorship,
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
        app = build_app(self.state, self._door)
        async with serve(app, self._settings.host, self._settings.port) as port:
            started(port)
            async with asyncio.TaskGroup() as group:
                beside = (
                    group.create_task(self.rules.run(), name="rules"),
                    group.create_task(self._loop_lag.run(), name="loop lag"),
                )
                await self.core.run(stop)
                for part in beside:
                    part.cancel()

    def _changed(self, service_ids: frozenset[str]) -> None:
        self._series.changed(service_ids)

    def _heard(self, event: Event) -> None:
        self._event_lag.heard(event)
        self._series.heard(event)

    def _use_rules(self, rules: RuleSet) -> None:
        self._reports.use_rules(rules)
        self.core.controller.use_rules(rules)

    def _facts(self) -> AgentFacts:
        core = self.core
        return agent_facts(
            identity=core.identity,
            calls=self._calls,
            liveness=core.liveness,
            stream=core.stream,
            event_lag=self._event_lag,
            mirror=core.mirror,
            sampler=core.sampler,
            rules=self.rules,
            actorship=core.actorship,
            loop_lag=self._loop_lag,
            operator=operator_facts(core.controller, self._door, self._clock.now()),
        )
