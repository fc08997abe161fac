"""People and stack deploys, loads and leaks: what happens to services while agents act."""

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from monitor.simulate.state import Spec
from tests.simulated.dst.kind import ACTOR, Args, Kind, Undo

if TYPE_CHECKING:
    from tests.simulated.dst.world import World

Given = Mapping[str, Any]
SERVICES = ("web", "api", "jobs")
MIB = 1024**2


def _service(chance: random.Random) -> Args:
    return {"service": chance.choice(SERVICES)}


def scales(world: "World", args: Given) -> None:
    world.swarm.scale(args["service"], args["replicas"])


def _replicas(chance: random.Random) -> Args:
    return _service(chance) | {"replicas": chance.choice((1, 2, 3, 4, 6, 9, 14))}


def scales_to_zero(world: "World", args: Given) -> Undo:
    """Hands off; later somebody wants it back."""
    world.swarm.scale(args["service"], 0)

    def undo() -> None:
        if not world.replicas(args["service"]):
            world.swarm.scale(args["service"], 2)

    return undo


def deploys(world: "World", args: Given) -> None:
    world.swarm.deploy(args["service"], args["image"])


def _deploy(chance: random.Random) -> Args:
    images = ("app:1", "app:2", "app:3", "app:2", "app:1", "app:crashing")
    return _service(chance) | {"image": chance.choice(images)}


def stack_deploy(world: "World", args: Given) -> None:
    """`docker stack deploy`: image, environment and replicas as the file has them, at once."""

    def edit(spec: Spec) -> None:
        spec["Labels"]["com.docker.stack.namespace"] = "shop"
        spec["TaskTemplate"]["ContainerSpec"].update(
            Image=args["image"], Env=[f"RELEASE={args['release']}"]
        )
        spec["Mode"]["Replicated"]["Replicas"] = args["replicas"]

    world.swarm.change(args["service"], edit)


def _stack(chance: random.Random) -> Args:
    return _service(chance) | {
        "image": chance.choice(("app:1", "app:2", "app:3")),
        "release": chance.randrange(5),
        "replicas": chance.choice((2, 2, 3)),
    }


def at_write(world: "World", args: Given) -> None:
    """Somebody else writes to the service to which the actor is about to write, so many steps
    after it said so."""
    node = world.node_of({"node": ACTOR})
    begin = {"deploys": deploys, "scales": scales, "edits": edits, "forces": forces}[args["does"]]
    steps = args["steps"]

    def meddle(_: object) -> None:
        if world.writing:  # else it is about to write to a node
            begin(world, {**args, "service": world.writing})

    world.arm(node, steps, meddle, now=steps < 2)


def _at_write(chance: random.Random) -> Args:
    return {
        **(_deploy(chance) | _replicas(chance) | _number(chance)),
        "does": chance.choice(("deploys", "deploys", "scales", "edits", "forces")),
        "steps": chance.choice((0, 1, 2, 3, 4, 6, 9)),
    }


def edits(world: "World", args: Given) -> None:
    number = args["number"]
    world.swarm.change(
        args["service"],
        lambda spec: spec["TaskTemplate"]["ContainerSpec"].update(Env=[f"N={number}"]),
    )


def _number(chance: random.Random) -> Args:
    return _service(chance) | {"number": chance.randrange(5)}


def forces(world: "World", args: Given) -> None:
    def edit(spec: Spec) -> None:
        spec["TaskTemplate"]["ForceUpdate"] = spec["TaskTemplate"].get("ForceUpdate", 0) + 1

    world.swarm.change(args["service"], edit)


def rolls_back(world: "World", args: Given) -> None:
    service = world.swarm.service(args["service"])
    if service.previous_spec is not None:
        world.swarm.roll_back(service.id, service.version)


def pauses(world: "World", args: Given) -> None:
    world.pause(args["service"], args["seconds"])


def _pause(chance: random.Random) -> Args:
    return _service(chance) | {"seconds": chance.choice((15.0, 40.0, 90.0))}


def load(world: "World", args: Given) -> None:
    world.set_load(args["service"], args["wanted"])


def _load(chance: random.Random) -> Args:
    """In replicas that it asks for."""
    return _service(chance) | {"wanted": chance.choice((0.5, 2.0, 3.0, 5.0, 8.0, 11.0, 16.0))}


def leak(world: "World", args: Given) -> Undo:
    """Each task's memory grows to its limit within so many seconds of its life."""
    full, name = args["full_after"], args["service"]
    world.swarm.set_memory(name, lambda age: int(min(20 + 80 * age / full, 99) * MIB))
    return lambda: world.swarm.set_memory(name, 20 * MIB)


def _leak(chance: random.Random) -> Args:
    return {"service": chance.choice(("web", "api")), "full_after": chance.choice((5.0, 20.0))}


def task_ends(world: "World", args: Given) -> None:
    running = world.swarm.running(args["service"])
    if running:
        task = running[args["number"] % len(running)]
        world.swarm.end_task(task.id, args["exit_code"], oom=args["oom"])


def _end(chance: random.Random) -> Args:
    return _service(chance) | {
        "number": chance.randrange(12),
        "exit_code": chance.choice((0, 1, 137)),
        "oom": chance.random() < 0.4,
    }


KINDS = (
    Kind("load_changes", load, (1, 5), _load, weight=6.0, always=True),
    Kind("person_scales", scales, (1, 2, 3), _replicas, weight=2.0),
    Kind("person_scales_to_zero", scales_to_zero, (9,), _service, (5.0, 90.0), 0.7),
    Kind("person_deploys", deploys, (2, 3, 4), _deploy, weight=2.5),
    Kind("stack_deploy", stack_deploy, (2, 3, 4), _stack, weight=2.0),
    Kind("person_at_write", at_write, (2, 3, 4), _at_write, weight=2.5),
    Kind("person_edits", edits, (2, 3, 4), _number, weight=1.5),
    Kind("person_forces", forces, (3, 4), _service),
    Kind("person_rolls_back", rolls_back, (3, 4), _service),
    Kind("person_pauses", pauses, (9,), _pause, weight=1.5),
    Kind("leak", leak, (3, 9), _leak, (15.0, 60.0), 2.0),
    Kind("task_ends", task_ends, (5, 7), _end, weight=1.5),
)
