"""Brings what the mirror and the sampler know into the exposition."""

from collections.abc import Iterable, Mapping

from monitor.agent.identity import Identity
from monitor.cluster.mirror import Mirror
from monitor.export.cluster import ClusterExposition
from monitor.export.local import LocalExposition
from monitor.export.rows import TaskUsageRow
from monitor.model.event import Event
from monitor.model.node import Node
from monitor.usage.sampler import Sampler
from monitor.usage.task_usage import TaskUsage


class Series:
    """Cluster series follow the mirror as it changes, local ones are taken at a scrape."""

    def __init__(
        self,
        identity: Identity,
        mirror: Mirror,
        sampler: Sampler,
        cluster: ClusterExposition,
        local: LocalExposition,
    ) -> None:
        self._identity = identity
        self._mirror = mirror
        self._sampler = sampler
        self._cluster = cluster
        self._local = local
        self._nodes: Mapping[str, Node] | None = None

    def changed(self, service_ids: Iterable[str]) -> None:
        """These services or their tasks changed, or are gone."""
        for service_id in service_ids:
            view = self._mirror.view(service_id, room=False)
            if view is None:
                self._cluster.drop_service(service_id)
            else:
                self._cluster.set_view(view)

    def heard(self, event: Event) -> None:
        if event.type == "container" and event.action == "oom" and event.task_id:
            self._cluster.oom(event.task_id, event.time_ns / 1e9)

    def refresh(self) -> None:
        """Right before a scrape."""
        nodes = self._mirror.nodes()
        if nodes is not self._nodes:  # it is another one whenever a node is
            self._nodes = nodes
            self._cluster.set_nodes(nodes.values())
        self._local.set_rows(
            self._row(usage)
            for usage in self._sampler.tasks().values()
            if usage.container.running or usage.oom_events
        )

    def _row(self, usage: TaskUsage) -> TaskUsageRow:
        container = usage.container
        return TaskUsageRow(
            service_name=container.service_name,
            service_id=container.service_id,
            task_id=container.task_id,
            slot=container.slot,
            node_id=container.node_id,
            node_name=self._identity.node_name,
            reading=usage.reading,
            sampled_at=usage.read_at,
            started_at=container.started_at,
            health=container.health,
            oom_events=usage.oom_events,
        )
