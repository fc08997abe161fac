"""What a kind of fault is."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulated.dst.world import World

Args = dict[str, Any]
Undo = Callable[[], None]

MANAGERS, WORKERS = ("m1", "m2", "m3"), ("w1", "w2")
NODES = (*MANAGERS, *WORKERS)
ACTOR = "actor"
"""In place of a node's name: that of the agent that acts at that moment, m1's if none does."""

ANY = "any"
BESIDE = "beside"
"""What a kind needs that is drawn by itself: nothing, and it is part of every world."""


@dataclass(frozen=True, slots=True)
class Kind:
    """begin: does it, and returns what undoes it after `lasts` seconds (from, to), if anything.

    draw: its arguments, plain JSON values. against: numbers of the promises it strains. always:
    part of every seed, as loads are. weight: how often, compared with others. needs: the kind of
    services that ail without which it does nothing; ANY: one of them, whichever.
    """

    name: str
    begin: Callable[["World", Mapping[str, Any]], Undo | None]
    against: tuple[int, ...]
    draw: Callable[[random.Random], Args] = lambda _: {}
    lasts: tuple[float, float] | None = None
    weight: float = 1.0
    always: bool = False
    needs: str = ""


def any_node(chance: random.Random) -> Args:
    return {"node": chance.choice((*NODES, ACTOR, ACTOR, ACTOR))}


def any_manager(chance: random.Random) -> Args:
    return {"node": chance.choice((*MANAGERS, ACTOR))}
