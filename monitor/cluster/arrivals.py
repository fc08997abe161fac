"""Since when nodes take tasks that did not before: those that joined, and those that came back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.model.node import Availability, Node, NodeState

_UNDECIDED = frozenset({NodeState.UNKNOWN, NodeState.DISCONNECTED})
"""Every election sets these for a moment: they say nothing about whether the node was away."""


@dataclass(slots=True)
class Arrivals:
    """`joined` is another mapping after each change: monotonic seconds by node id.

    What was there at the first look has been there all along; so it is after a look at no nodes,
    as while this agent's node is no manager.
    """

    joined: Mapping[str, float] = field(default_factory=dict)
    _up: dict[str, bool] = field(default_factory=dict)

    def seen(self, nodes: Mapping[str, Node], now: float) -> bool:
        """All nodes of the Swarm as they are now. Returns whether one has just joined."""
        first = not self._up
        up: dict[str, bool] = {}
        for node in nodes.values():
            known = self._up.get(node.id, first)
            up[node.id] = known if node.state in _UNDECIDED else _takes_tasks(node)
        new = {
            node_id for node_id, is_up in up.items() if is_up and not self._up.get(node_id, first)
        }
        joined = {
            node_id: now if node_id in new else self.joined[node_id]
            for node_id in up
            if node_id in new or (up[node_id] and node_id in self.joined)
        }
        self._up = up
        if joined != self.joined:
            self.joined = joined
        return bool(new)


def _takes_tasks(node: Node) -> bool:
    return node.state is NodeState.READY and node.availability is Availability.ACTIVE
