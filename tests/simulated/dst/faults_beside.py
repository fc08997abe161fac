"""Faults of all worlds that are drawn by themselves: what else a seed draws stays as it was."""

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from monitor.model.pause import PauseScope
from tests.simulated.dst.kind import ACTOR, BESIDE, Args, Kind

if TYPE_CHECKING:
    from tests.simulated.dst.world import World

Given = Mapping[str, Any]
SERVICES = ("web", "api", "jobs")


def stopped_at_write(world: "World", args: Given) -> None:
    """SIGTERM while a write of the agent is on its way, so many steps after it said so."""
    node = world.node_of(args)
    world.arm(node, args["steps"], lambda process: world.stop_agent(process.node))


def _steps(chance: random.Random) -> Args:
    return {"node": ACTOR, "steps": chance.choice((0, 1, 2, 3, 4, 6, 9, 12, 16))}


def pauses_more(world: "World", args: Given) -> None:
    """Hands off everything, or what one rule does."""
    world.pause(args["name"], args["seconds"], PauseScope(args["scope"]))


def _pause(chance: random.Random) -> Args:
    everything = chance.random() < 0.5
    return {
        "scope": "all" if everything else "rule",
        "name": "" if everything else chance.choice(SERVICES),
        "seconds": chance.choice((10.0, 25.0, 60.0)),
    }


KINDS = (
    Kind("agent_stopped_at_write", stopped_at_write, (12,), _steps, weight=2.0, needs=BESIDE),
    Kind("person_pauses_more", pauses_more, (9,), _pause, weight=1.0, needs=BESIDE),
)
