"""What nodes went through while tasks ran on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.model.node import Availability, Node, NodeState

_KEPT = 16
"""Changes of a node, and cuts of its event stream, that are remembered: the latest."""

_AWAY = 1.5
"""Seconds that a node takes at most to tell of a container's end while its engine is there."""

_SLACK = 5.0
"""Seconds by which what is seen of a node may come after what follows from it."""

_BACK = 60.0
"""Seconds that another node's agent takes at most to be heard again once its engine is back."""


@dataclass(slots=True)
class _Past:
    name: str = ""
    standing: tuple[NodeState, Availability] | None = None
    down: list[float] = field(default_factory=list)
    drained: list[float] = field(default_factory=list)
    cuts: list[float] = field(default_factory=list)
    gone_at: float | None = None
    drained_until_seen: float | None = None
    """When it was first seen, if it was drained by then: nobody knows since when."""


class NodePasts:
    """All times in wall seconds."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Past] = {}
        self.changes = 0
        """Counts up whenever an answer given here may be another one."""

    def seen(self, nodes: Mapping[str, Node], now: float) -> None:
        """All nodes of the Swarm, as they are now."""
        self.changes += 1
        for node in nodes.values():
            past = self._nodes.setdefault(node.id, _Past())
            before, past.standing = past.standing, (node.state, node.availability)
            past.name, past.gone_at = node.name, None
            if node.state is NodeState.DOWN and (before is None or before[0] is not node.state):
                _keep(past.down, now)
            drained = node.availability is Availability.DRAIN
            if drained and before is None:
                past.drained_until_seen = now
            elif drained and before is not None and before[1] is not node.availability:
                _keep(past.drained, now)
        for node_id, past in self._nodes.items():
            if node_id not in nodes and past.gone_at is None and past.standing is not None:
                past.gone_at = now

    def cut(self, node_id: str, now: float) -> None:
        """The stream of its engine's events broke off, or began anew after it had."""
        self.changes += 1
        _keep(self._nodes.setdefault(node_id, _Past()).cuts, now)

    def forget_gone(self, before: float) -> None:
        """Nodes that have been gone since before then."""
        kept = {
            node_id: past
            for node_id, past in self._nodes.items()
            if past.gone_at is None or past.gone_at >= before
        }
        if len(kept) < len(self._nodes):
            self.changes += 1
            self._nodes = kept

    def name(self, node_id: str) -> str:
        past = self._nodes.get(node_id)
        return past.name if past is not None and past.name else node_id

    def gone(self, node_id: str) -> bool:
        past = self._nodes.get(node_id)
        return past is not None and past.gone_at is not None

    def is_down(self, node_id: str) -> bool:
        past = self._nodes.get(node_id)
        standing = past.standing if past is not None else None
        return standing is not None and standing[0] is NodeState.DOWN

    def down_at(self, node_id: str, since: float, until: float) -> float | None:
        """When it was first seen down in that time."""
        past = self._nodes.get(node_id)
        times = past.down if past is not None else []
        return min((at for at in times if since <= at <= until + _SLACK), default=None)

    def drained(self, node_id: str, since: float, until: float) -> bool:
        past = self._nodes.get(node_id)
        if past is None:
            return False
        first = past.drained_until_seen
        if first is not None and until <= first + _SLACK:
            return True
        return any(since <= at <= until + _SLACK for at in past.drained)

    def away(self, node_id: str, died_at: float | None, told_at: float, started_at: float) -> bool:
        """Whether its engine was away when the container's end was to be told.

        died_at: of the container, None where no event told; told_at: as the Swarm has it.
        """
        past = self._nodes.get(node_id)
        if past is None:
            return False
        if died_at is None:
            return any(started_at <= at <= told_at + _BACK for at in past.cuts)
        if told_at - died_at < _AWAY:
            return False
        return any(died_at - 1.0 <= at <= told_at + _BACK for at in past.cuts)


def _keep(times: list[float], at: float) -> None:
    times.append(at)
    del times[:-_KEPT]
