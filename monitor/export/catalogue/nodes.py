"""Nodes, and the Swarm as a whole, as a manager reports them."""

from collections.abc import Callable, Iterable, Sequence

from monitor.export.catalogue.tasks import PRESENT
from monitor.export.family import Family, Generator, Kind, MetricType, Sample, Stability
from monitor.export.labels import allowed_labels
from monitor.export.rows import ClusterRow, NodeRow
from monitor.model.node import Availability, NodeState

REACHABILITIES = ("unknown", "unreachable", "reachable")
_NODE = ("node_id", "node_name")


def _gauge(
    name: str,
    help_text: str,
    labels: tuple[str, ...],
    samples: Callable[[NodeRow], Iterable[Sample]],
    when: str = "",
) -> Generator[NodeRow]:
    present = f"{PRESENT}; {when}" if when else PRESENT
    return Generator(Family(name, MetricType.GAUGE, help_text, labels, present=present), samples)


def _description(row: NodeRow) -> Iterable[Sample]:
    node = row.node
    return [
        ((node.id, node.name, node.role, node.engine_version, node.os, node.arch, node.addr), 1)
    ]


def _dense(row: NodeRow, values: Iterable[str], current: str) -> Iterable[Sample]:
    node = row.node
    return [((node.id, node.name, value), int(value == current)) for value in values]


def _reachable(row: NodeRow) -> Iterable[Sample]:
    current = row.node.reachability
    return _dense(row, REACHABILITIES, current) if current is not None else ()


def _cluster(
    name: str, help_text: str, value: Callable[[ClusterRow], int]
) -> Generator[ClusterRow]:
    family = Family(name, MetricType.GAUGE, help_text, present=PRESENT)
    return Generator(family, lambda row: [((), value(row))])


_NODES: tuple[Generator[NodeRow], ...] = (
    Generator(
        Family(
            "swarm_node_description_info",
            MetricType.INFO,
            "What the node is; always 1.",
            (*_NODE, "role", "engine_version", "os", "arch", "addr"),
            present=PRESENT,
        ),
        _description,
    ),
    _gauge(
        "swarm_node_state",
        "State of the node as the managers see it: 1 for the current one.",
        (*_NODE, "state"),
        lambda row: _dense(row, NodeState, row.node.state),
    ),
    _gauge(
        "swarm_node_availability",
        "Whether the node may be given tasks: 1 for the current setting.",
        (*_NODE, "availability"),
        lambda row: _dense(row, Availability, row.node.availability),
    ),
    _gauge(
        "swarm_node_manager_leader",
        "Whether the manager leads the Swarm's raft group.",
        _NODE,
        lambda row: (
            [((row.node.id, row.node.name), int(row.node.leader))]
            if row.node.role == "manager"
            else ()
        ),
        "for managers",
    ),
    _gauge(
        "swarm_node_manager_reachable",
        "Whether the manager is reached by the leader: 1 for the current reachability.",
        (*_NODE, "reachability"),
        _reachable,
        "for managers",
    ),
    _gauge(
        "swarm_node_cpu_cores",
        "CPU of the node in cores.",
        _NODE,
        lambda row: (
            [((row.node.id, row.node.name), row.node.cpu_cores)] if row.node.cpu_cores else ()
        ),
        "where known",
    ),
    _gauge(
        "swarm_node_memory_bytes",
        "Memory of the node in bytes.",
        _NODE,
        lambda row: (
            [((row.node.id, row.node.name), row.node.memory_bytes)] if row.node.memory_bytes else ()
        ),
        "where known",
    ),
    _gauge(
        "swarm_node_reserved_cpu_cores",
        "CPU in cores reserved by tasks that should run on the node.",
        ("node_id",),
        lambda row: [((row.node.id,), row.reserved_nano_cpus / 1e9)],
    ),
    _gauge(
        "swarm_node_reserved_memory_bytes",
        "Memory in bytes reserved by tasks that should run on the node.",
        ("node_id",),
        lambda row: [((row.node.id,), row.reserved_memory)],
    ),
    _gauge(
        "swarm_node_tasks",
        "Tasks that run on the node and are wanted to; none while the node is down.",
        ("node_id", "state"),
        lambda row: [((row.node.id, "running"), row.running_tasks)],
    ),
)


def node_kind(allowed: Sequence[str] = ()) -> Kind[NodeRow]:
    """allowed: keys or globs of node labels that are exported."""
    labels: Generator[NodeRow] = Generator(
        Family(
            "swarm_node_labels",
            MetricType.GAUGE,
            "Labels of the node that the agent's settings allow; always 1.",
            ("node_id",),
            Stability.EXPERIMENTAL,
            present=f"{PRESENT}; for nodes with an allowed label",
            open_labels=True,
        ),
        lambda row: [((row.node.id,), 1)],
        lambda row: allowed_labels(row.node.labels, allowed),
    )
    return Kind("node", (*_NODES, labels))


CLUSTER_KIND: Kind[ClusterRow] = Kind(
    "cluster",
    (
        _cluster("swarm_cluster_managers", "Managers of the Swarm.", lambda row: row.managers),
        _cluster(
            "swarm_cluster_managers_reachable",
            "Managers that the leader reaches.",
            lambda row: row.managers_reachable,
        ),
        _cluster(
            "swarm_cluster_quorum_margin",
            "Managers that may be lost before the Swarm can no longer be changed; below 0: it "
            "cannot now.",
            lambda row: row.quorum_margin,
        ),
    ),
)
