"""From `die` on a worker to the actor's knowledge, on a real Swarm; see benchmarks/fleet.py."""

from __future__ import annotations

import json
import math
import os
import random
import sys
import time
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.real import fleet
from tests.real.lab import Node, Swarm, eventually
from tests.real.lab.image import product_image

METRIC = "swarm_agent_remote_event_delay_seconds"
SERVICE = "short-lived"
REPLICAS = 8
TOO_LATE = 30.0


@dataclass
class Seen:
    """Seconds per event. lost: of which the actor never heard."""

    until_event: list[float] = field(default_factory=list)
    until_known: list[float] = field(default_factory=list)
    both: list[float] = field(default_factory=list)
    lost: int = 0
    mixed: int = 0


def measure(events: int) -> None:
    archive = product_image()
    with Swarm.start(3, 2, in_memory=True) as swarm:
        fleet.deploy_stack(swarm, archive)
        swarm.create_service(
            SERVICE,
            f"--replicas={REPLICAS}",
            "--constraint=node.role==worker",
            "--restart-delay=500ms",
        )
        swarm.wait_running(SERVICE, REPLICAS)
        eventually(lambda: len(fleet.actors(swarm)) == 1, 60, "one agent to act")
        [actor] = fleet.actors(swarm)
        eventually(
            lambda: fleet.agent_value(actor, "swarm_agent_peers", state="up") == 4,
            60,
            "the actor to hear all others",
        )
        seen = Seen()
        for number in range(events):
            _one(swarm, actor, seen)
            if sys.stderr.isatty():
                print(f"\r{number + 1}/{events}", end="", file=sys.stderr)
        same = fleet.actors(swarm) == [actor]
    _show(seen, same)


def _one(swarm: Swarm, actor: Node, seen: Seen) -> None:
    node, container, pid = _victim(swarm)
    time.sleep(random.uniform(0.2, 1.2))  # the moment within the agents' seconds is any
    count, seconds = _heard(actor)
    said = node.run_inside(["sh", "-c", f"date +%s%N; kill -KILL {pid}"])
    killed = int(said.split()[0]) / 1e9
    deadline = time.monotonic() + TOO_LATE
    while (found := _heard(actor))[0] == count and time.monotonic() < deadline:
        time.sleep(0.1)
    if found[0] != count + 1:
        seen.lost += found[0] == count
        seen.mixed += found[0] != count  # something else died meanwhile: whose is whose?
        return
    delay = found[1] - seconds
    event = _time_of_die(node, container, killed)
    seen.until_event.append(event - killed)
    seen.until_known.append(delay)
    seen.both.append(event - killed + delay)


def _victim(swarm: Swarm) -> tuple[Node, str, int]:
    """A worker's node, and a container on it that runs, with its process as the node numbers it."""
    nodes = {node.node_id: node for node in swarm.workers}
    found: list[tuple[Node, str, int]] = []

    def look() -> bool:
        tasks = swarm.running(SERVICE)
        random.shuffle(tasks)
        for task in tasks:
            node = nodes[task["NodeID"]]
            container = task["Status"]["ContainerStatus"]["ContainerID"]
            state = node.api("GET", f"/containers/{container}/json")["State"]
            if state["Running"] and state["Pid"]:
                found.append((node, container, state["Pid"]))
                return True
        return False

    eventually(look, 60, "a task to run on a worker")
    return found[-1]


def _heard(actor: Node) -> tuple[int, float]:
    """How many deaths the actor heard of so far, and the seconds that took, all together."""
    values = {
        name: value
        for name, labels, value in fleet.agent_samples(actor)
        if labels.get("action") == "die" and "le" not in labels
    }
    return int(values.get(f"{METRIC}_count", 0)), values.get(f"{METRIC}_sum", 0.0)


def _time_of_die(node: Node, container: str, killed: float) -> float:
    """The event's own time, from the engine of the node."""
    filters = json.dumps({"type": ["container"], "event": ["die"], "container": [container]})
    query = {"since": f"{killed - 5:.3f}", "until": f"{time.time():.3f}", "filters": filters}
    event = node.api("GET", f"/events?{urllib.parse.urlencode(query)}")
    return int(event["timeNano"]) / 1e9


def rank(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of all values does not exceed."""
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1] if values else math.nan


def _show(seen: Seen, same_actor: bool) -> None:
    rows = (
        ("kill to the event's own time", seen.until_event),
        ("event's own time to the actor's knowledge", seen.until_known),
        ("kill to the actor's knowledge", seen.both),
    )
    load = os.getloadavg()[0]
    print("Containers on the workers of a Swarm of 3 managers and 2 workers, killed one by one")
    print(f"(load of the machine: {load:.1f} on {os.cpu_count()} processors)\n")
    print(f"{'milliseconds':<43}{'count':>6}{'p50':>8}{'p99':>8}{'max':>8}")
    for name, values in rows:
        figures = (rank(values, 0.5), rank(values, 0.99), max(values, default=math.nan))
        print(f"{name:<43}{len(values):>6}" + "".join(f"{1e3 * one:>8.1f}" for one in figures))
    print(f"\nnever heard of: {seen.lost}, not to be told apart: {seen.mixed}")
    if not same_actor:
        print("The actor changed meanwhile: the figures are of the first one.")
