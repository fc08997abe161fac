"""Why a node must not be drained, whatever is wrong with it."""

from dataclasses import dataclass

from monitor.model.node import Availability, Node, NodeState
from monitor.model.node_evidence import NodeEvidence
from monitor.model.reason import Reason

MANAGER = "manager"


@dataclass(frozen=True, slots=True)
class Fence:
    """why: a clause that follows "but". ends: what would lift it."""

    reason: Reason
    why: str
    ends: str


def fence(evidence: NodeEvidence) -> Fence | None:
    """None where the node may be drained.

    A drained manager still votes, but it counts as gone here: it is drained because it is not
    well, and its tasks, the agent among them, are stopped.
    """
    node, nodes = evidence.node, evidence.nodes
    if node.availability is not Availability.ACTIVE:
        who = f"rule {evidence.drained[node.id]}" if node.id in evidence.drained else "somebody"
        return Fence(Reason.DRAINED, f"{who} has set it to {node.availability}", "it is active")
    others = sorted(node_id for node_id in evidence.drained if node_id != node.id)
    if others:
        first = nodes.get(others[0])
        name = others[0] if first is None else first.name
        why = f"{name} is drained by rule {evidence.drained[others[0]]}: one node at a time"
        return Fence(Reason.ONE_AT_A_TIME, why, f"{name} is taken back")
    left = [one for one in nodes.values() if one.id != node.id and takes_tasks(one)]
    if not left:
        why = "no other node could take its tasks"
        return Fence(Reason.LAST_NODE, why, "another node is ready and active")
    return _quorum(evidence, left) if node.role == MANAGER else None


def _quorum(evidence: NodeEvidence, left: list[Node]) -> Fence | None:
    node = evidence.node
    managers = [one for one in evidence.nodes.values() if one.role == MANAGER]
    well = [one for one in managers if one.id != node.id and _votes(one)]
    quorum = len(managers) // 2 + 1
    if len(well) < quorum:
        why = (
            f"only {len(well)} of {len(managers)} managers would be left, "
            f"and a quorum needs {quorum}"
        )
        return Fence(Reason.QUORUM, why, "more managers are ready and active")
    if not any(one.role == MANAGER and one.id in evidence.agents for one in left):
        why = "no other manager runs an agent, so nobody could take it back"
        return Fence(Reason.LAST_NODE, why, "another manager runs an agent")
    return None


def takes_tasks(node: Node) -> bool:
    return node.state is NodeState.READY and node.availability is Availability.ACTIVE


def _votes(node: Node) -> bool:
    return takes_tasks(node) and node.reachability in (None, "reachable")
