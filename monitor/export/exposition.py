"""One document out of all parts: this node's tasks, the Swarm, the rules, the agent."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from monitor.export.agent_metrics import AgentMetrics
from monitor.export.block import Block
from monitor.export.cluster import ClusterExposition
from monitor.export.family import Family
from monitor.export.local import LocalExposition
from monitor.export.text import EOF
from monitor.model.now import Now

SLICE = 100
"""Objects rendered before the event loop has its turn: a few milliseconds."""

_MAX_SLICES = 2000


class _Part(Protocol):
    @property
    def series(self) -> int: ...
    def refresh(self, limit: int | None = None) -> bool: ...
    def blocks(self, *, openmetrics: bool, names: frozenset[str] = frozenset()) -> list[Block]: ...


class Exposition:
    """Renders scrapes from memory alone; the Engine is never asked.

    now: reads the clock.
    """

    def __init__(
        self,
        agent: AgentMetrics,
        local: LocalExposition,
        cluster: ClusterExposition,
        now: Callable[[], Now],
    ) -> None:
        self._agent = agent
        self._local = local
        self._cluster = cluster
        self._now = now

    @property
    def families(self) -> tuple[Family, ...]:
        rules = self._agent.rules.families
        return (*self._cluster.families, *self._local.families, *rules)

    async def scrape(
        self,
        *,
        openmetrics: bool,
        cluster: bool,
        fresh: bool,
        names: frozenset[str] = frozenset(),
    ) -> list[Block]:
        """The whole exposition in one format, in blocks one after the other.

        cluster: whether this agent exports the Swarm's series: only the one that acts does.
        fresh: whether the mirror is in touch with a manager. Where it is not, the Swarm's
            series and the rules' newest decisions are left out: old values are not current.
        names: only these metrics, by the names of their samples; empty means all.
        """
        started = self._now().mono
        self._local.prepare(started)
        rules = self._agent.rules
        parts: list[_Part] = [self._local, rules.totals]
        if fresh:
            parts.append(rules.state)
        if cluster and fresh:
            parts.append(self._cluster)
        for part in parts:
            await _refresh(part)
        blocks: list[Block] = []
        for part in parts:
            blocks += part.blocks(openmetrics=openmetrics, names=names)
        self._agent.scraping(sum(part.series for part in parts))
        end = EOF if openmetrics else b""
        blocks.append(Block((self._agent.render(openmetrics=openmetrics, names=names), end)))
        self._agent.scraped(self._now().mono - started)
        return blocks


async def _refresh(part: _Part) -> None:
    """Renders what changed in slices, with the event loop's turn in between."""
    for _ in range(_MAX_SLICES):
        if not part.refresh(SLICE):
            return
        await asyncio.sleep(0)
