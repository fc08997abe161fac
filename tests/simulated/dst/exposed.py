"""An agent's /metrics, from the parts that the whole agent makes it of, without a port."""

from typing import TYPE_CHECKING

from monitor.agent.end_facts import end_facts
from monitor.agent.facts import EventLag, agent_facts, build_info, operator_facts
from monitor.agent.fleet_facts import fleet_facts
from monitor.agent.lag import LoopLag
from monitor.agent.reports import Reports
from monitor.agent.series import Series
from monitor.engine.calls import CallStats
from monitor.export.agent_metrics import AgentMetrics
from monitor.export.block import joined
from monitor.export.cluster import ClusterExposition
from monitor.export.exposition import Exposition
from monitor.export.facts import AgentFacts
from monitor.export.local import LocalExposition
from monitor.ports.clock import Clock
from monitor.web.door import Door, TokenSource

if TYPE_CHECKING:
    from tests.simulated.dst.process import FleetProcess


class Exposed:
    """Built once the process has its core."""

    def __init__(self, process: "FleetProcess", clock: Clock) -> None:
        self._process, self._clock = process, clock
        core = process.core
        self._door = Door(TokenSource())
        self._lag, self._loop_lag = EventLag(clock), LoopLag(clock)
        self.metrics = AgentMetrics(self._facts, build_info(""), process=False)
        self.reports = Reports(
            self.metrics, clock, lambda: core.controller.assignments, core.calendar
        )
        cluster = ClusterExposition(since=clock.now().wall, budget=self.metrics.budget)
        local = LocalExposition(budget=self.metrics.budget)
        self.series = Series(core.identity, core.mirror, core.sampler, cluster, local)
        self._exposition = Exposition(self.metrics, local, cluster, clock.now)

    async def scrape(self) -> str:
        """As `AgentState.metrics` does it."""
        core = self._process.core
        self.series.refresh()
        blocks = await self._exposition.scrape(
            openmetrics=False,
            cluster=core.lease.term() is not None,
            fresh=core.mirror.fresh and core.liveness.up,
        )
        return joined(blocks).decode()

    def _facts(self) -> AgentFacts:
        process, core = self._process, self._process.core
        now = self._clock.now()
        return agent_facts(
            identity=core.identity,
            calls=CallStats(),
            liveness=core.liveness,
            stream=core.stream,
            event_lag=self._lag,
            mirror=core.mirror,
            sampler=core.sampler,
            rules=process.rules,
            actorship=core.actorship,
            loop_lag=self._loop_lag,
            operator=operator_facts(core.controller, self._door, now),
            ends=end_facts(core, now.wall),
            fleet=fleet_facts(core, process.streams, process.digest(), None),
        )
