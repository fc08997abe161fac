"""Services that ail: leaks of single tasks, crash loops, tasks out of memory; and orders to stop
containers that nobody who acts has given."""

import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from monitor.model.peer import Command
from monitor.model.stop_task import STOP_TASK
from tests.simulated.dst.ailing import CRASHES, PARKS, SPOTTY, TASKS
from tests.simulated.dst.kind import ANY, NODES, WORKERS, Args, Kind, Undo
from tests.simulated.dst.ward import Ill

if TYPE_CHECKING:
    from tests.simulated.dst.world import World

Given = Mapping[str, Any]


def task_leaks(world: "World", args: Given) -> Undo | None:
    """One task fills its memory; or what runs in its place does it as well, again and again."""
    running = world.swarm.running(TASKS.service)
    if not running:
        return None
    task = running[args["number"] % len(running)]
    leaking, what = world.ward.leaking, (TASKS.service, task.slot) if args["again"] else task.id
    leaking.setdefault(what, world.now())
    return lambda: leaking.pop(what, None) and None


def _leak(chance: random.Random) -> Args:
    return {"number": chance.randrange(6), "again": chance.random() < 0.4}


def falls_ill(service: str) -> Callable[["World", Given], Undo]:
    def begin(world: "World", args: Given) -> Undo:
        ill = Ill(args["after"], args["exit_code"], args["oom"])
        world.ward.fall_ill(service, ill)

        def undo() -> None:
            if world.ward.ill.get(service) is ill:
                del world.ward.ill[service]

        return undo

    return begin


crash_loop, oom_loop = falls_ill(CRASHES.service), falls_ill(PARKS.service)


def _crash(chance: random.Random) -> Args:
    return {"after": chance.choice((1.0, 3.0, 8.0)), "exit_code": 1, "oom": False}


def _oom(chance: random.Random) -> Args:
    return {"after": chance.choice((1.0, 3.0)), "exit_code": 137, "oom": True}


def worker_away(world: "World", args: Given) -> Undo:
    """A person drains or pauses a worker, whose tasks come to be on the other one."""
    node_id = world.ids[args["node"]]
    world.swarm.set_node(node_id, availability=args["as"])
    return lambda: world.swarm.activate(node_id)


def _away(chance: random.Random) -> Args:
    return {"node": chance.choice(WORKERS), "as": chance.choice(("drain", "drain", "pause"))}


def node_sickens(world: "World", args: Given) -> Undo:
    """Tasks fail on one node, and run well on the others."""
    ill = Ill(1.0, 1, node=world.ids[args["node"]])
    world.ward.fall_ill(SPOTTY.service, ill)

    def undo() -> None:
        if world.ward.ill.get(SPOTTY.service) is ill:
            del world.ward.ill[SPOTTY.service]

    return undo


def node_lost(world: "World", args: Given) -> Undo:
    """For longer than it takes a rule to see it."""
    world.node_fails(args["node"])
    return lambda: world.node_returns(args["node"])


def _node(chance: random.Random) -> Args:
    return {"node": chance.choice(NODES)}


def availability_set(world: "World", args: Given) -> None:
    """A person sets it, whoever set it before."""
    world.swarm.set_node(world.ids[args["node"]], availability=args["as"])


def _availability(chance: random.Random) -> Args:
    return _node(chance) | {"as": chance.choice(("active", "active", "pause"))}


def unparks(world: "World", _: Given) -> None:
    world.ward.unpark(PARKS.service)


def meddles(world: "World", args: Given) -> None:
    """A person does something to a service that ails, as to any other."""
    ward, swarm = world.ward, world.swarm
    service = ward.services[args["number"] % len(ward.services)]
    match args["does"]:
        case "deploys":
            swarm.deploy(service, f"{service}:{args['image']}")
        case "scales":
            swarm.scale(service, args["replicas"])
        case "pauses":
            world.pause(service, 30.0)


def _meddle(chance: random.Random) -> Args:
    return {
        "does": chance.choice(("deploys", "deploys", "scales", "pauses")),
        "number": chance.randrange(6),
        "image": chance.choice((1, 2, 3)),
        "replicas": chance.choice((1, 2, 3, 4)),
    }


def stop_forged(world: "World", args: Given) -> None:
    """An agent is told to stop a container under another task's name, or a task elsewhere."""
    tasks = world.swarm.running(TASKS.service)
    others = [one for name in ("web", "monitor") for one in world.swarm.running(name)]
    node_id = world.ids[args["node"]]
    process = world.processes.get(args["node"])
    here = [one for one in (*tasks, *others) if one.node_id == node_id]
    if process is None or not process.alive or not here:
        return
    task, other = here[0], here[-1]
    named = tasks[0] if tasks else other
    orders = {
        "container": (task.id, task.service_id, node_id, other.container_id),
        "task": (named.id, task.service_id, node_id, task.container_id),
        "service": (task.id, other.service_id, node_id, task.container_id),
        "node": (task.id, task.service_id, named.node_id, task.container_id),
    }
    names = ("task_id", "service_id", "node_id", "container_id")
    order = dict(zip(names, orders[args["other"]], strict=True))
    if order == dict(zip(names, orders_of(task), strict=True)):
        return  # there is nothing else here: it would be an order as it should be
    term = max(one.core.stop_desk._highest_term for one in world.processes.values())
    command = Command(f"forged-{world.now()}", STOP_TASK, term, 5.0, order)
    process.host.start(process.core.stop_desk.carry_out(command))


def orders_of(task: Any) -> tuple[str, str, str, str]:
    return task.id, task.service_id, task.node_id, task.container_id


def _forged(chance: random.Random) -> Args:
    return {
        "node": chance.choice(NODES),
        "other": chance.choice(("container", "task", "service", "node")),
    }


KINDS = (
    Kind("task_leaks", task_leaks, (2, 3, 4, 9), _leak, (30.0, 120.0), 4.0, needs="tasks"),
    Kind("stop_forged", stop_forged, (2, 4), _forged, weight=1.0, needs="tasks"),
    Kind("crash_loop", crash_loop, (3, 5, 9), _crash, (15.0, 90.0), 3.0, needs="crashes"),
    Kind("oom_loop", oom_loop, (4, 5, 9), _oom, (10.0, 40.0), 3.0, needs="parks"),
    Kind("person_unparks", unparks, (4, 9), weight=1.5, needs="parks"),
    Kind("worker_away", worker_away, (3, 5, 9), _away, (6.0, 30.0), 3.0, needs="moves"),
    Kind("node_sickens", node_sickens, (1, 5, 9), _node, (15.0, 60.0), 4.0, needs="nodes"),
    Kind("node_lost", node_lost, (1, 5, 9), _node, (15.0, 40.0), 1.0, needs="nodes"),
    Kind("availability_set", availability_set, (1, 9), _availability, weight=0.7, needs="nodes"),
    Kind("person_meddles", meddles, (3, 9), _meddle, weight=1.5, needs=ANY),
)
