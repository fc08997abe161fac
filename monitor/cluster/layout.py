"""Where tasks of a service may run, and how many more of them fit on each node."""

from collections import Counter
from collections.abc import Iterable, Mapping

from monitor.cluster.occupancy import Occupancy
from monitor.cluster.room import Needs, misfit, more_on, needs_of, suits, takes_tasks
from monitor.model.evidence import Barred, Spot
from monitor.model.node import Node, NodeState
from monitor.model.service import Service
from monitor.model.task import Task


def spots_for(
    service: Service,
    tasks: Iterable[Task],
    nodes: Mapping[str, Node],
    taken: Occupancy,
    joined: Mapping[str, float],
) -> tuple[Spot, ...]:
    """The nodes that are ready, active and satisfy its placement; in the order of their names.

    tasks: the service's own. taken: by all services. joined: when a node became ready and active
    again, in monotonic seconds, by node id; a node that is not in it has been so all along.
    Room is an upper estimate, as in `cluster/room.py`.
    """
    placed = Counter(task.node_id for task in tasks if task.live and task.node_id)
    needs = needs_of(service)
    spots = (
        _spot(node, needs, placed[node.id], taken, joined.get(node.id))
        for node in nodes.values()
        if _there(node) and (needs is None or suits(node, needs))
    )
    return tuple(sorted(spots, key=lambda spot: (spot.name, spot.node_id)))


def _spot(
    node: Node, needs: Needs | None, placed: int, taken: Occupancy, joined: float | None
) -> Spot:
    free, short = (None, "") if needs is None else more_on(needs, node, placed, taken)
    return Spot(node.id, node.name, free, joined, short)


def barred_from(service: Service, nodes: Mapping[str, Node]) -> tuple[Barred, ...]:
    """The nodes that are ready and active and never get a task of the service, in that order."""
    needs = needs_of(service)
    if needs is None:
        return ()
    found = (Barred(node.name, misfit(node, needs)) for node in nodes.values() if _there(node))
    return tuple(sorted((one for one in found if one.why), key=lambda one: one.name))


def _there(node: Node) -> bool:
    return node.state is NodeState.READY and takes_tasks(node)
