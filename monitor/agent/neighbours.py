"""Where the other agents of this Swarm are: the tasks of the agents' own service."""

from collections.abc import Mapping

from monitor.cluster.mirror import Mirror
from monitor.model.task import TaskState


def neighbours(
    mirror: Mirror, own_service_id: str | None, own_node_id: str, port: int
) -> Mapping[str, tuple[str, ...]]:
    """Addresses (`HOST:PORT`) to try of every other node's agent, by node id.

    Those that its task has in the networks of the service; its node's own, where the service is
    in none (on the host's network). None where this agent does not know its service: as a plain
    process it has no neighbours.
    """
    view = None if own_service_id is None else mirror.view(own_service_id)
    if view is None:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for task in view.tasks:
        if not task.live or task.state is not TaskState.RUNNING:
            continue
        if not task.node_id or task.node_id == own_node_id:
            continue
        hosts = [host for _, host in task.addresses]
        node = mirror.nodes().get(task.node_id)
        if not hosts and node is not None and node.addr:
            hosts = [node.addr]
        if hosts:
            found[task.node_id] = tuple(_joined(host, port) for host in hosts)
    return found


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
