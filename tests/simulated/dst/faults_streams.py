"""Events that are lost, late, doubled or out of order; streams between agents that break."""

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.simulated.dst.kind import NODES, Args, Kind, Undo, any_manager, any_node

if TYPE_CHECKING:
    from tests.simulated.dst.world import World

Given = Mapping[str, Any]


def _share(field: str) -> Any:
    def begin(world: "World", args: Given) -> Undo:
        faults = world.engine_of(args).bus.faults
        setattr(faults, field, args["share"])
        return lambda: setattr(faults, field, 0.0)

    return begin


def _shares(chance: random.Random) -> Args:
    return any_manager(chance) | {"share": chance.choice((0.3, 0.7, 1.0))}


def _some(chance: random.Random) -> Args:
    return any_manager(chance) | {"share": chance.choice((0.3, 0.7))}


def lost_everywhere(world: "World", _: Given) -> Undo:
    """No manager hears anything from its engine any more; connections stay open."""
    buses = [world.swarm.engine(node_id).bus for node_id in world.ids.values()]
    for bus in buses:
        bus.faults.silent = True

    def undo() -> None:
        for bus in buses:
            bus.faults.silent = False

    return undo


def of_services_lost(world: "World", args: Given) -> Undo:
    """All that is lost is what no other event would make up for: that a service was changed."""
    buses = [world.swarm.engine(node_id).bus for node_id in world.ids.values()]
    for bus in buses:
        bus.faults.drop_if = lambda event: event.type == args["type"]

    def undo() -> None:
        for bus in buses:
            bus.faults.drop_if = None

    return undo


def _type(chance: random.Random) -> Args:
    return {"type": chance.choice(("service", "service", "node", "container"))}


def late(world: "World", args: Given) -> Undo:
    """Events wait, and all come at once when it is over."""
    bus = world.engine_of(args).bus
    bus.thawed.clear()
    return bus.thawed.set


def cut(world: "World", args: Given) -> None:
    world.engine_of(args).bus.cut()


def two_agents_apart(world: "World", args: Given) -> Undo:
    one, other = args["nodes"]
    world.cut(one, other)
    return lambda: world.heal(one, other)


def _two(chance: random.Random) -> Args:
    return {"nodes": chance.sample(NODES, 2)}


def all_agents_apart(world: "World", _: Given) -> Undo:
    world.cut_all()
    return world.heal_all


LASTS = (10.0, 90.0)
KINDS = (
    Kind("events_lost", _share("drop"), (3, 7), _shares, LASTS, 2.0),
    Kind("events_doubled", _share("duplicate"), (7,), _some, LASTS),
    Kind("events_reordered", _share("reorder"), (3, 7), _some, LASTS),
    Kind("events_late", late, (3, 7), any_node, (2.0, 40.0), 1.5),
    Kind("events_silent", lost_everywhere, (3, 7), lasts=LASTS, weight=1.5),
    Kind("events_of_a_type_lost", of_services_lost, (7,), _type, LASTS, 1.5),
    Kind("events_cut", cut, (7,), any_node),
    Kind("streams_cut", two_agents_apart, (5, 6), _two, (1.0, 60.0), 1.5),
    Kind("overlay_cut", all_agents_apart, (5, 8), lasts=(1.0, 40.0)),
)
