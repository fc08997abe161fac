"""A manager is made a worker: what the others see until all are in touch with who leads then."""

import asyncio

from monitor.model.node import NodeState
from monitor.simulate.state import SimNode
from monitor.simulate.swarm import Swarm

# Seconds until a node is in touch with the new leader, as seen on a real Swarm.
_MANAGER, _WORKER, _DEMOTED = 0.1, 0.4, 6.5


def demote(swarm: Swarm, node_id: str) -> None:
    """The manager is a worker from now on; where it led, another manager is elected.

    Every node that is not down is `unknown` for a moment then. Its tasks run on.
    """
    led = swarm.node(node_id).leader
    swarm.set_node(node_id, role="worker", leader=False)
    managers = [node for node in swarm.store.nodes.values() if node.role == "manager"]
    heirs = [node for node in managers if node.state is not NodeState.DOWN]
    if not led or not heirs:
        return
    swarm.election(heirs[0].id)
    for node in list(swarm.store.nodes.values()):
        if node.state is NodeState.UNKNOWN:
            delay = _MANAGER if node.role == "manager" else _WORKER
            swarm.machinery.spawn(
                _reconnect(swarm, node, _DEMOTED if node.id == node_id else delay)
            )


async def _reconnect(swarm: Swarm, node: SimNode, delay: float) -> None:
    await asyncio.sleep(delay)
    if node.state is NodeState.UNKNOWN and node.id in swarm.store.nodes:
        swarm.node_ready(node.id)
