"""Engines that die, hang, are slow, lose replies or their Swarm."""

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from monitor.ports.errors import BadAnswer, EngineError, Forbidden, NotAManager, Unreachable
from tests.simulated.dst.kind import MANAGERS, NODES, Args, Kind, Undo, any_manager, any_node

if TYPE_CHECKING:
    from tests.simulated.dst.world import World

Given = Mapping[str, Any]
QUICK = 0.002
ERRORS: dict[str, EngineError] = {
    "cut": Unreachable("the connection was cut"),
    "garbage": BadAnswer("half an answer"),
    "no leader": NotAManager("The swarm does not have a leader."),
    "forbidden": Forbidden("the proxy says no"),
}
METHODS = ("update_service", "service", "tasks", "services", "nodes", "config", "update_config")


def killed(world: "World", args: Given) -> Undo:
    """The daemon is gone and comes back, as after SIGKILL and a restart."""
    engine = world.engine_of(args)
    engine.cut_off()
    return engine.restore


def frozen(world: "World", args: Given) -> Undo:
    """It hangs with open connections (SIGSTOP)."""
    engine = world.engine_of(args)
    engine.freeze()
    return engine.thaw


def cut_off(world: "World", args: Given) -> Undo:
    """A manager without the other managers: it has no quorum, and serves old reads to nobody."""
    node = world.node_of(args)
    world.partitioned.add(node)
    return lambda: world.partitioned.discard(node)


def slow(world: "World", args: Given) -> Undo:
    faults = world.engine_of(args).faults
    faults.latency = args["latency"]

    def undo() -> None:
        faults.latency = QUICK

    return undo


def _slow_args(chance: random.Random) -> Args:
    return any_node(chance) | {"latency": chance.choice((0.3, 1.5, 2.5, 6.0))}


def old_answers(world: "World", args: Given) -> Undo:
    """Some answers are on their way for seconds: what they say is over when they come."""
    faults = world.engine_of(args).faults
    rare = random.Random(args["seed"])
    faults.answer_delay = lambda *_: 3.0 if rare.random() < 0.2 else 0.0

    def undo() -> None:
        faults.answer_delay = None

    return undo


def _old_args(chance: random.Random) -> Args:
    return any_manager(chance) | {"seed": chance.randrange(1000)}


def replies_lost(world: "World", args: Given) -> None:
    """The next writes are carried out and not answered."""
    world.engine_of(args).faults.lose_replies = args["times"]


def _times(chance: random.Random) -> Args:
    return any_manager(chance) | {"times": chance.choice((1, 1, 2, 4))}


def calls_fail(world: "World", args: Given) -> None:
    faults = world.engine_of(args).faults
    faults.fail_next(args["method"], ERRORS[args["error"]], args["times"])


def _fail_args(chance: random.Random) -> Args:
    return any_node(chance) | {
        "method": chance.choice((*METHODS, "stats", "*")),
        "error": chance.choice(sorted(ERRORS)),
        "times": chance.choice((1, 3, 10)),
    }


def quorum_lost(world: "World", _: Given) -> Undo:
    world.swarm.has_leader = False
    return lambda: setattr(world.swarm, "has_leader", True)


def election(world: "World", args: Given) -> Undo:
    """A new raft leader: for a moment it knows of no node whether it is there."""
    swarm = world.swarm
    swarm.election(world.ids[args["node"]])
    return lambda: world.nodes_heard(world.ids.values())


def _leader(chance: random.Random) -> Args:
    return {"node": chance.choice(MANAGERS)}


def node_unknown(world: "World", args: Given) -> Undo:
    """Managers do not know of a node for a while; its tasks run on and its agent is heard."""
    node_id = world.ids[args["node"]]
    if world.swarm.node(node_id).state == "ready":
        world.swarm.set_node(node_id, state=args["state"])
    return lambda: world.nodes_heard([node_id])


def _unknown_args(chance: random.Random) -> Args:
    return {"node": chance.choice(NODES), "state": chance.choice(("unknown", "disconnected"))}


def node_down(world: "World", args: Given) -> Undo:
    """A node fails with all that runs on it; its load goes to the others."""
    world.node_fails(args["node"])
    return lambda: world.node_returns(args["node"])


def _any_node(chance: random.Random) -> Args:
    return {"node": chance.choice(NODES)}


def node_drained(world: "World", args: Given) -> Undo:
    node_id = world.ids[args["node"]]
    world.swarm.drain(node_id)
    return lambda: world.swarm.activate(node_id)


KINDS = (
    Kind("engine_killed", killed, (2, 7, 10), any_node, (1.0, 25.0), 1.5),
    Kind("engine_frozen", frozen, (2, 5, 10), any_node, (1.0, 60.0), 1.5),
    Kind("engine_cut_off", cut_off, (2, 6, 10), any_manager, (1.0, 40.0), 1.5),
    Kind("engine_slow", slow, (2, 3, 10), _slow_args, (5.0, 40.0), 1.5),
    Kind("answers_old", old_answers, (2, 3), _old_args, (10.0, 60.0)),
    Kind("replies_lost", replies_lost, (2, 4, 9), _times, None, 2.0),
    Kind("calls_fail", calls_fail, (2, 5, 7), _fail_args, None, 1.5),
    Kind("quorum_lost", quorum_lost, (6, 10), lasts=(0.5, 30.0), weight=0.7),
    Kind("election", election, (5, 7), _leader, (0.2, 8.0)),
    Kind("node_unknown", node_unknown, (5, 7), _unknown_args, (2.0, 60.0), 1.5),
    Kind("node_down", node_down, (5, 6), _any_node, (5.0, 40.0), 0.7),
    Kind("node_drained", node_drained, (5, 6, 12), _any_node, (5.0, 40.0), 0.4),
)
