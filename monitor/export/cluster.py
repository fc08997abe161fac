"""The series of the Swarm: services, tasks and nodes as a manager's mirror knows them.

Views are only remembered when they come in; their rows are derived at the next scrape, and
only those that differ are rendered. Counters alone look at every view at once.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from monitor.export.block import Block
from monitor.export.budget import SeriesBudget
from monitor.export.catalogue.nodes import CLUSTER_KIND, node_kind
from monitor.export.catalogue.services import service_kind
from monitor.export.catalogue.tasks import SLOT_KIND, task_kind
from monitor.export.family import Family, TaskLabels
from monitor.export.node_load import NO_LOAD, Load, loads_of
from monitor.export.rows import ClusterRow, NodeRow, ServiceRow, SlotRow, TaskRow
from monitor.export.shown import last_exit_codes, shown_tasks
from monitor.export.store import ExpositionStore
from monitor.export.task_counters import TaskCounters
from monitor.model.node import Node
from monitor.model.view import ServiceView

_Keys = tuple[tuple[str, str], ...]
_NO_NODES: Mapping[str, Node] = MappingProxyType({})


class ClusterExposition:
    """Fed with views and nodes by one task; rendered by scrapes on the same loop.

    since: wall seconds of the agent's start. service_labels, node_labels: keys or globs of
    Docker labels to export.
    """

    def __init__(
        self,
        *,
        since: float,
        task_labels: TaskLabels = TaskLabels.TASK,
        service_labels: Sequence[str] = (),
        node_labels: Sequence[str] = (),
        budget: SeriesBudget | None = None,
    ) -> None:
        kinds = (
            task_kind(task_labels),
            SLOT_KIND,
            service_kind(service_labels),
            node_kind(node_labels),
            CLUSTER_KIND,
        )
        self._mode = task_labels
        self._store = ExpositionStore(kinds, budget)
        self._counters = TaskCounters(since)
        self._views: dict[str, ServiceView] = {}
        self._ids: dict[str, str] = {}
        self._nodes: dict[str, Node] = {}
        self._dirty: dict[str, None] = {}
        self._dirty_nodes: dict[str, None] = {}
        self._keys: dict[str, _Keys] = {}
        self._loads: dict[str, Mapping[str, Load]] = {}
        self._totals: defaultdict[str, Load] = defaultdict(lambda: NO_LOAD)

    @property
    def families(self) -> tuple[Family, ...]:
        return self._store.families

    @property
    def series(self) -> int:
        return self._store.series

    def oom(self, task_id: str, at: float) -> None:
        """An out-of-memory event of a task's container, `at` the node's wall seconds."""
        self._counters.oom(task_id, at)

    def set_view(self, view: ServiceView) -> None:
        """A service or its tasks changed, or were read for the first time.

        A new service under the name of an old one takes its place: names are unique, so the
        old one is gone, and two with one name would be the same series twice.
        """
        service = view.service
        known = self._ids.get(service.name)
        if known is not None and known != service.id:
            if self._views[known].service.created_at > service.created_at:
                return
            self.drop_service(known)
        self._ids[service.name] = service.id
        self._views[service.id] = replace(view, nodes=_NO_NODES)  # those of now are put in later
        self._counters.observe(service, view.tasks)
        self._dirty[service.id] = None

    def drop_service(self, service_id: str) -> None:
        view = self._views.pop(service_id, None)
        if view is None:
            return
        self._ids.pop(view.service.name, None)
        self._dirty.pop(service_id, None)
        self._counters.drop(service_id)
        self._keep_rows(service_id, {})
        self._set_loads(service_id, {})

    def keep_services(self, service_ids: Iterable[str]) -> None:
        """Drops every service that is not in `service_ids`."""
        kept = set(service_ids)
        for service_id in [known for known in self._views if known not in kept]:
            self.drop_service(service_id)

    def set_nodes(self, nodes: Iterable[Node]) -> None:
        """All nodes of the Swarm; those not in it any more are dropped."""
        new = {node.id: node for node in nodes}
        old, self._nodes = self._nodes, new
        moved = {
            node_id
            for node_id in old.keys() | new.keys()
            if _seen_by_tasks(old.get(node_id)) != _seen_by_tasks(new.get(node_id))
        }
        for service_id, view in self._views.items():
            if moved and any(task.node_id in moved for task in view.tasks):
                self._dirty[service_id] = None
        for node_id, node in new.items():
            if old.get(node_id) != node:
                self._dirty_nodes[node_id] = None
        for node_id in old.keys() - new.keys():
            self._dirty_nodes.pop(node_id, None)
            self._store.drop("node", node_id)
        managers = [node for node in new.values() if node.role == "manager"]
        reachable = sum(node.reachability == "reachable" for node in managers)
        self._store.put("cluster", "", ClusterRow(len(managers), reachable))

    def refresh(self, limit: int | None = None) -> bool:
        """Brings about `limit` rows up to date, all where None; whether some are left."""
        while self._dirty and (limit is None or self._store.pending < limit):
            service_id = next(iter(self._dirty))
            del self._dirty[service_id]
            self._derive(service_id)
        if not self._dirty:
            for node_id in self._dirty_nodes:
                self._put_node(node_id)
            self._dirty_nodes.clear()
        return self._store.refresh(limit) or bool(self._dirty)

    def blocks(self, *, openmetrics: bool, names: frozenset[str] = frozenset()) -> list[Block]:
        """See `ExpositionStore.blocks`."""
        self.refresh()
        return self._store.blocks(openmetrics=openmetrics, names=names)

    def render(self, *, openmetrics: bool, names: frozenset[str] = frozenset()) -> bytes:
        self.refresh()
        return self._store.render(openmetrics=openmetrics, names=names)

    def _derive(self, service_id: str) -> None:
        view = replace(self._views[service_id], nodes=self._nodes)
        service = view.service
        rows: dict[tuple[str, str], object] = {}
        for key, task in shown_tasks(view.tasks, self._mode).items():
            node = self._nodes.get(task.node_id)
            node_name = node.name if node is not None else ""
            name = key if key == task.id else f"{service_id}/{key}"
            rows["task", name] = TaskRow(task, service.name, node_name)
        exit_codes = last_exit_codes(view.tasks)
        for place in dict.fromkeys(task.place for task in view.tasks):
            restarts = self._counters.restarts(service_id, place)
            row = SlotRow(service.name, place, exit_codes.get(place), restarts)
            rows["slot", f"{service_id}/{place}"] = row
        rows["service", service_id] = ServiceRow(
            service=service,
            desired=view.desired,
            running=len(view.running_tasks),
            states=Counter(task.state.label for task in view.tasks),
            failures=self._counters.failures(service_id),
            completed=view.completed,
        )
        self._keep_rows(service_id, rows)
        self._set_loads(service_id, loads_of(view))

    def _keep_rows(self, service_id: str, rows: Mapping[tuple[str, str], object]) -> None:
        for kind, key in sorted(set(self._keys.get(service_id, ())) - rows.keys()):
            self._store.drop(kind, key)
        for (kind, key), row in rows.items():
            self._store.put(kind, key, row)
        self._keys[service_id] = tuple(rows)
        if not rows:
            del self._keys[service_id]

    def _set_loads(self, service_id: str, loads: Mapping[str, Load]) -> None:
        old = self._loads.pop(service_id, {})
        if loads:
            self._loads[service_id] = loads
        for node_id in old.keys() | loads.keys():
            before, after = old.get(node_id, NO_LOAD), loads.get(node_id, NO_LOAD)
            if before == after:
                continue
            total = self._totals[node_id].plus(after).minus(before)
            if total == NO_LOAD:
                del self._totals[node_id]
            else:
                self._totals[node_id] = total
            self._dirty_nodes[node_id] = None

    def _put_node(self, node_id: str) -> None:
        node = self._nodes.get(node_id)
        if node is not None:
            load = self._totals.get(node_id, NO_LOAD)
            row = NodeRow(node, load.nano_cpus, load.memory, load.running)
            self._store.put("node", node_id, row)


def _seen_by_tasks(node: Node | None) -> tuple[str, bool] | None:
    """What of a node its tasks' series depend on."""
    return (node.name, node.lost) if node is not None else None
