"""Agents that are killed, frozen, stopped and updated; clocks that are set; state that is lost."""

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.simulated.dst.kind import ACTOR, NODES, Args, Kind, Undo, any_node

if TYPE_CHECKING:
    from tests.simulated.dst.world import World

Given = Mapping[str, Any]


def killed(world: "World", args: Given) -> None:
    world.kill_agent(world.node_of(args))


def all_killed(world: "World", _: Given) -> None:
    for node in list(world.processes):
        world.kill_agent(node)


def killed_at_await(world: "World", args: Given) -> None:
    """Once its next write is about to be sent, the agent gets so many steps more."""
    node = world.node_of(args)
    world.arm(node, args["steps"], lambda _: world.kill_agent(node))


def _steps(chance: random.Random) -> Args:
    return {"node": ACTOR, "steps": chance.choice((0, 1, 2, 3, 4, 6, 8, 12, 20, 40, 90))}


def frozen(world: "World", args: Given) -> Undo | None:
    process = world.processes.get(world.node_of(args))
    if process is None or not process.alive:
        return None
    world.freeze(process)
    return lambda: world.thaw(process)


def frozen_at_write(world: "World", args: Given) -> None:
    """The actor hangs right before its next write leaves, for longer than its lease lasts."""
    node, seconds = world.node_of(args), args["seconds"]
    world.arm(node, args["steps"], lambda process: world.freeze_for(process, seconds))


def _hang(chance: random.Random) -> Args:
    return {
        "node": ACTOR,
        "steps": chance.choice((0, 1, 2, 3)),
        "seconds": chance.choice((1.0, 4.0, 9.0, 13.0, 25.0)),
    }


def stopped(world: "World", args: Given) -> None:
    """SIGTERM; the container ends with it, and Swarm starts another one."""
    world.stop_agent(world.node_of(args))


def updated(world: "World", args: Given) -> None:
    """All agents get another image, one node after the other."""
    world.swarm.deploy("monitor", args["image"])


def _image(chance: random.Random) -> Args:
    return {"image": chance.choice(("monitor:1", "monitor:2"))}


def wall_clock_set(world: "World", args: Given) -> None:
    """An hour ahead, an hour back, a day; or put right."""
    world.skews[world.node_of(args)] = args["seconds"]


def _skew(chance: random.Random) -> Args:
    return any_node(chance) | {
        "seconds": chance.choice((-86400.0, -3600.0, -30.0, 0.0, 30.0, 3600.0, 86400.0))
    }


def all_clocks_set(world: "World", args: Given) -> None:
    for node in NODES:
        world.skews[node] = args["seconds"]


def _jump(chance: random.Random) -> Args:
    return {"seconds": chance.choice((-3600.0, 0.0, 3600.0))}


def config_removed(world: "World", args: Given) -> None:
    """A person removes the lease or the state."""
    world.remove_config(args["name"])


def _config(chance: random.Random) -> Args:
    return {"name": chance.choice(("swarm-monitor-lease", "swarm-monitor-state"))}


KINDS = (
    Kind("agent_killed", killed, (2, 6, 9, 12), any_node, weight=2.0),
    Kind("agents_all_killed", all_killed, (6, 9), weight=0.7),
    Kind("agent_killed_at_await", killed_at_await, (2, 4, 6, 9), _steps, weight=2.5),
    Kind("agent_frozen", frozen, (5, 6), any_node, (0.5, 60.0), 2.0),
    Kind("agent_frozen_at_write", frozen_at_write, (2, 6), _hang, weight=2.0),
    Kind("agent_stopped", stopped, (6, 9, 12), any_node, weight=1.5),
    Kind("agents_updated", updated, (6, 9, 12), _image, weight=0.5),
    Kind("wall_clock_set", wall_clock_set, (6, 9), _skew, weight=1.5),
    Kind("all_wall_clocks_set", all_clocks_set, (9,), _jump, weight=0.7),
    Kind("config_removed", config_removed, (6, 9), _config, weight=0.3),
)
