"""One agent: what it does, what it shows, and their orderly stop."""

import asyncio
from collections.abc import Callable, Mapping

from monitor.agent.core import Core
from monitor.agent.end_facts import end_facts
from monitor.agent.facts import (
    EventLag,
    agent_facts,
    build_info,
    notification_facts,
    operator_facts,
)
from monitor.agent.fleet import Fleet
from monitor.agent.fleet_facts import fleet_facts
from monitor.agent.lag import LoopLag
from monitor.agent.notebook import Notebook
from monitor.agent.notifying import Notifying
from monitor.agent.reports import Reports
from monitor.agent.rules_digest import acting_digest
from monitor.agent.series import Series
from monitor.agent.settings import Settings
from monitor.agent.shared import Shared
from monitor.agent.status import AgentState
from monitor.engine.calls import CallStats
from monitor.export.agent_metrics import AgentMetrics
from monitor.export.cluster import ClusterExposition
from monitor.export.exposition import Exposition
from monitor.export.facts import AgentFacts
from monitor.export.local import LocalExposition
from monitor.fleet.secret import Secret
from monitor.model.event import Event
from monitor.model.peer import Peer
from monitor.model.rule import RuleSet
from monitor.notify.notifier import Notifier
from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.ports.usage import UsageSource
from monitor.rulefile.labels import label_rules
from monitor.rulefile.watch import WatchedRules
from monitor.sources.calendar import CronCalendar
from monitor.web.app import build_app
from monitor.web.door import Door, TokenSource
from monitor.web.server import serve


class Agent:
    """Built inside the running loop; `run` lives until `stop` is set.

    calls: what the calls to `engine` came to, where it counts them. boot_id: another one for
    each start of an agent; "": this one is not one of a fleet, and acts as long as its node
    leads the managers. So it is on a dry run, which writes nothing, not even that. usage: what
    tasks use, where this agent is not to find out itself.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        clock: Clock,
        *,
        calls: CallStats | None = None,
        revision: str = "",
        boot_id: str = "",
        usage: UsageSource | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._calls = calls or CallStats()
        self.rules = WatchedRules(settings.rules, self._use_rules, clock=clock)
        self._door = Door(TokenSource(settings.token_file, settings.token))
        self._loop_lag = LoopLag(clock)
        self._http_port = 0
        self._acting_digest = acting_digest(RuleSet(), settings)
        self._event_lag = EventLag(clock)
        self.metrics = AgentMetrics(self._facts, build_info(revision))
        calendar = CronCalendar()
        self._reports = Reports(
            self.metrics, clock, lambda: self.core.controller.assignments, calendar
        )
        self._notebook = Notebook(self._reports)
        self.notifier = Notifier(settings.notify, clock)
        told = Notifying(
            self._notebook,
            self.notifier,
            clock,
            node=lambda: self.core.identity.node_name,
            acting=lambda: self.core.actorship.term() is not None and not settings.dry_run,
            scaling=settings.notify_scaling,
        )
        self.core = Core(
            engine,
            clock,
            observer=told if settings.notify else self._notebook,
            before_write=self._notebook.before_write,
            on_change=self._changed,
            on_event=self._heard,
            own_service_id=settings.own_service_id,
            dry_run=settings.dry_run,
            writes_per_minute=settings.writes_per_minute,
            restarts_at_once=settings.restarts_at_once,
            prometheus=settings.prometheus,
            calendar=calendar,
            label_source=lambda service: label_rules(service, settings.labels),
            usage=usage,
            shared=self._shared(boot_id),
            proc_root=settings.proc_root,
            cgroup_root=settings.cgroup_root,
            data=settings.data,
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
        self.fleet = self._fleet(boot_id)
        self._series = Series(core.identity, core.mirror, core.sampler, cluster, local)
        self.state = AgentState(
            identity=core.identity,
            mirror=core.mirror,
            controller=core.controller,
            nodes=core.nodes,
            rules=self.rules,
            sampler=core.sampler,
            liveness=core.liveness,
            actorship=core.actorship,
            lease=core.lease,
            usage=core.usage,
            fleet=self.fleet,
            ends=core.ends,
            logs=core.task_logs,
            exposition=Exposition(self.metrics, local, cluster, clock.now),
            refresh_exposition=self._series.refresh,
            clock=clock,
            by_hand=core.by_hand,
        )

    def _shared(self, boot_id: str) -> Shared | None:
        if not boot_id or self._settings.dry_run:
            return None
        return Shared(boot_id=boot_id, digest=self._digest, peers=self._peers)

    def _fleet(self, boot_id: str) -> Fleet | None:
        settings = self._settings
        if settings.secret_file is None or not boot_id:
            return None
        return Fleet(
            core=self.core,
            clock=self._clock,
            secret=Secret(file=settings.secret_file),
            host=settings.fleet_host,
            port=settings.fleet_port,
            boot_id=boot_id,
            digest=self._digest,
            http_port=lambda: self._http_port,
            on_event=self._heard_elsewhere,
        )

    def _digest(self) -> str:
        return self._acting_digest

    def _peers(self) -> Mapping[str, Peer]:
        return {} if self.fleet is None else self.fleet.peers()

    async def run(
        self, stop: asyncio.Event, started: Callable[[int], None] = lambda _: None
    ) -> None:
        """Runs everything until `stop` is set; `started` is told the HTTP port.

        Raises CannotListen, or an ExceptionGroup of whatever nobody expected.
        """
        app = build_app(self.state, self._door)
        async with (
            serve(app, self._settings.host, self._settings.port) as port,
            self._notebook.open(self._settings.data, self.core.controller.book),
        ):
            self._http_port = port
            started(port)
            async with asyncio.TaskGroup() as group:
                beside = [
                    group.create_task(self.rules.run(), name="rules"),
                    group.create_task(self._loop_lag.run(), name="loop lag"),
                ]
                if self.fleet is not None:
                    beside.append(group.create_task(self.fleet.run(), name="fleet"))
                if self._settings.notify:
                    beside.append(group.create_task(self.notifier.run(), name="notifier"))
                await self.core.run(stop)
                await self.notifier.finish()
                for part in beside:
                    part.cancel()

    def _changed(self, service_ids: frozenset[str]) -> None:
        self._series.changed(service_ids)

    def _heard(self, event: Event) -> None:
        self._event_lag.heard(event)
        self._series.heard(event)
        if self.fleet is not None:
            self.fleet.tell(event)

    def _heard_elsewhere(self, event: Event) -> None:
        self._series.heard(event)

    def _use_rules(self, rules: RuleSet) -> None:
        self._acting_digest = acting_digest(rules, self._settings)
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
            ends=end_facts(core, self._clock.now().wall),
            notifications=notification_facts(self.notifier),
            fleet=fleet_facts(core, self.fleet, self._digest(), self._notebook.dropped),
        )
