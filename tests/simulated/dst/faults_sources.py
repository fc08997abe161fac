"""Numbers that are bad, and rule files that are broken or differ."""

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.simulated.dst.kind import MANAGERS, Args, Kind, Undo, any_manager
from tests.simulated.dst.prometheus import MODES
from tests.simulated.dst.rule_files import BROKEN

if TYPE_CHECKING:
    from tests.simulated.dst.world import World

Given = Mapping[str, Any]


def bad_numbers(world: "World", args: Given) -> Undo:
    world.prometheus.use(args["mode"])
    return lambda: world.prometheus.use("")


def _mode(chance: random.Random) -> Args:
    return {"mode": chance.choice(MODES)}


def rules_broken(world: "World", args: Given) -> Undo:
    """One manager's file is edited by hand, wrongly; later it is as before."""
    node = world.node_of(args)
    before = world.files[node]
    world.files[node] = BROKEN[args["how"]](before)

    def undo() -> None:
        if world.files[node] not in world.good_files:
            world.files[node] = before

    return undo


def _how(chance: random.Random) -> Args:
    return any_manager(chance) | {"how": chance.choice(sorted(BROKEN))}


def rules_broken_everywhere(world: "World", args: Given) -> Undo:
    undone = [rules_broken(world, {"node": node, "how": args["how"]}) for node in MANAGERS]
    return lambda: [undo() for undo in undone] and None


def rules_differ(world: "World", args: Given) -> Undo:
    """A change reaches one manager, and the others later."""
    node = world.node_of(args)
    world.files[node] = world.rule_text(args["max"])
    return lambda: world.use_files(world.rule_text(args["max"]))


def rules_change(world: "World", args: Given) -> None:
    world.use_files(world.rule_text(args["max"]))


def _max(chance: random.Random) -> Args:
    return any_manager(chance) | {"max": chance.choice((6, 12, 12, 20))}


KINDS = (
    Kind("bad_numbers", bad_numbers, (5, 10), _mode, (5.0, 90.0), 3.0),
    Kind("rules_broken", rules_broken, (8,), _how, (5.0, 60.0), 1.5),
    Kind("rules_broken_everywhere", rules_broken_everywhere, (8,), _how, (5.0, 40.0), 0.7),
    Kind("rules_differ", rules_differ, (1, 8), _max, (2.0, 30.0)),
    Kind("rules_change", rules_change, (1, 8), _max, weight=0.7),
)
