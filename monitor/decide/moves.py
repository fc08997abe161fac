"""Which tasks of one service must move so that its nodes have equally many, and no more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.model.evidence import Spot


@dataclass(frozen=True, slots=True)
class Move:
    """One task from one node to another, by node id."""

    source: str
    target: str


def plan(counts: Mapping[str, int], spots: Sequence[Spot]) -> tuple[Move, ...]:
    """The fewest moves after which no node has two tasks more than one that could take another.

    counts: tasks by node id. spots: nodes that may run the service; tasks on others stay where
    they are. Each move goes from a node with the most to one with the fewest of those with room,
    which is where the Swarm's scheduler puts the next task. Such a move is of use only where it
    leaves the target with no more than the source, so there are never more than needed.
    """
    have = {spot.node_id: counts.get(spot.node_id, 0) for spot in spots}
    free = {spot.node_id: spot.free for spot in spots}
    moves: list[Move] = []
    for _ in range(sum(have.values())):
        takers = [node for node, room in free.items() if room is None or room > 0]
        if not takers:
            break
        target = min(takers, key=lambda node: (have[node], node))
        source = max(have, key=lambda node: (have[node], node))
        if have[source] - have[target] < 2:
            break
        moves.append(Move(source, target))
        _move(have, free, source, target)
    return tuple(moves)


def _move(have: dict[str, int], free: dict[str, int | None], source: str, target: str) -> None:
    have[source] -= 1
    have[target] += 1
    for node, change in ((source, 1), (target, -1)):
        room = free[node]
        if room is not None:
            free[node] = room + change


def after(
    counts: Mapping[str, int], spots: Sequence[Spot], moves: Sequence[Move]
) -> dict[str, int]:
    """Tasks by node id once the moves are made."""
    have = {spot.node_id: counts.get(spot.node_id, 0) for spot in spots}
    for move in moves:
        have[move.source] -= 1
        have[move.target] += 1
    return have


def skew(counts: Mapping[str, int], spots: Sequence[Spot]) -> int:
    """The most tasks on one of the nodes less the fewest; 0 where there is one node or none."""
    have = [counts.get(spot.node_id, 0) for spot in spots]
    return max(have) - min(have) if have else 0
