"""Who acts, as long as agents do not talk to each other: the one on the raft leader."""

from collections.abc import Callable, Mapping
from typing import Protocol

from monitor.model.node import Node


class Mirrored(Protocol):
    @property
    def fresh(self) -> bool: ...

    def nodes(self) -> Mapping[str, Node]: ...


class LeaderActs:
    """Acts while this node leads the Swarm's managers and the mirror is in touch with them.

    Two agents may believe so for a moment around an election; the version check of every write
    is the fence behind this. A new term begins whenever the leadership is gained; `look` is
    to be called at each change of the mirror, so that a short loss does not go unseen.
    node_id: of this agent's node, "" while the engine has not said.
    """

    def __init__(self, mirror: Mirrored, node_id: Callable[[], str]) -> None:
        self._mirror = mirror
        self._node_id = node_id
        self._term = 0
        self._acting = False

    def term(self) -> int | None:
        self.look()
        return self._term if self._acting else None

    @property
    def holder(self) -> tuple[str, str] | None:
        """Node id and name of the agent that acts as far as this one can know, or None."""
        leader = next((node for node in self._mirror.nodes().values() if node.leader), None)
        return (leader.id, leader.name) if leader is not None and self._mirror.fresh else None

    def look(self) -> None:
        """Takes note of who leads now."""
        acting = self._leads()
        if acting and not self._acting:
            self._term += 1
        self._acting = acting

    def _leads(self) -> bool:
        node = self._mirror.nodes().get(self._node_id())
        return self._mirror.fresh and node is not None and node.leader

    def why_not(self) -> str:
        if not self._mirror.fresh:
            return "this agent is not in touch with the Swarm's managers"
        leader = next((n.name for n in self._mirror.nodes().values() if n.leader), None)
        if leader is None:
            return "the Swarm has no leader right now"
        return f"the agent on {leader}, which leads the Swarm's managers, acts"
