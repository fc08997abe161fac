"""How full a test's nodes are, in place of what their agents would tell."""

import asyncio
from collections.abc import Callable, Iterable
from typing import NoReturn

from monitor.model.node import Availability, NodeState
from monitor.model.peer import UsageReport
from monitor.model.usage import Machine
from monitor.ruletest.series import Series
from monitor.simulate.swarm import Swarm
from monitor.usage.remote import RemoteUsage


class MeasuredNodes:
    """Reports once a second, as the nodes' agents do; of a node that is drained or down nothing,
    since its agent is stopped with its other tasks.

    started: monotonic time of the test's start, None before it. node_id: by a node's name, None
    where it has not joined.
    """

    def __init__(
        self,
        swarm: Swarm,
        series: Iterable[Series],
        interval: float,
        remote: RemoteUsage,
        node_id: Callable[[str], str | None],
    ) -> None:
        self.started: float | None = None
        self._swarm = swarm
        self._series = [one for one in series if one.node]
        self._interval = interval
        self._remote = remote
        self._node_id = node_id

    async def run(self) -> NoReturn:
        while True:
            now = self._swarm.clock.now()
            for name in dict.fromkeys(one.node for one in self._series):
                node_id = self._node_id(name)
                if node_id is not None and not self._heard(node_id):
                    self._remote.drop(node_id)
                elif node_id is not None:
                    report = UsageReport(now.mono, now.wall, (), self._machine(name, now.mono))
                    self._remote.take(node_id, report)
            await asyncio.sleep(1.0)

    def _heard(self, node_id: str) -> bool:
        node = self._swarm.node(node_id)
        return node.state is NodeState.READY and node.availability is not Availability.DRAIN

    def _machine(self, name: str, now: float) -> Machine:
        seconds = 0.0 if self.started is None else now - self.started
        found = {
            one.kind: one.at(seconds, self._interval) for one in self._series if one.node == name
        }
        return Machine(found.get("node_memory"), found.get("node_disk"))
