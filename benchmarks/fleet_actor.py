"""A whole agent that acts on a large Swarm, as a process of its own that measures itself.

    python -m benchmarks.fleet_actor OPTIONS.json

Started by benchmarks/fleet.py, which reads what it prints: one line of JSON for each `Step`.
The Swarm is simulated, in this very process: what that costs is measured by `Mode.SWARM`.
"""

from __future__ import annotations

import asyncio
import cProfile
import dataclasses
import gc
import json
import pstats
import resource
import socket
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from benchmarks.fleet_agents import CORES, Place, Plan, allow_files
from benchmarks.fleet_events import rank
from monitor.agent.agent import Agent
from monitor.agent.clock import SystemClock
from monitor.agent.run import collect_rarely
from monitor.agent.settings import Settings
from monitor.model.node import Node
from monitor.model.peer import PeerState
from monitor.simulate.executor import Behaviour
from monitor.simulate.swarm import GIB, Swarm

NOWHERE = Path("/nonexistent")
MOST_UNREADY = 180.0
LAG_EVERY = 0.02
RULES = f"""\
version: 1
rules:
  - name: cpu
    services: [app-*]
    scale: {{min: 1, max: 100, metrics: [{{type: cpu, cores: {CORES}}}]}}
"""


class Mode(StrEnum):
    SWARM = "swarm"  # the simulated Swarm, and no agent
    ALONE = "alone"  # an agent that hears no other: samples are missing
    STREAMS = "streams"


class Step(StrEnum):
    PLANNED = "planned"  # the plan is written: agents may start
    BEGUN = "begun"
    ENDED = "ended"  # with what was measured


@dataclass(frozen=True)
class Options:
    mode: Mode
    nodes: int
    tasks: int
    seconds: float
    warm_up: float
    folder: str
    profile: bool = False

    @property
    def plan(self) -> Path:
        return Path(self.folder) / "plan.json"


def say(step: Step, **what: Any) -> None:
    print(json.dumps({"step": step, **what}), flush=True)


class AtLoopback:
    """An engine that says of its nodes that they are at addresses of this machine alone."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._known: dict[str, tuple[Node, Node]] = {}
        self._addresses: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def nodes(self) -> Sequence[Node]:
        return [self._moved(node) for node in await self._engine.nodes()]

    def _moved(self, node: Node) -> Node:
        known = self._known.get(node.id)
        if known is None or known[0] is not node:
            at = self.address(node.id)
            known = self._known[node.id] = node, dataclasses.replace(node, addr=at)
        return known[1]

    def address(self, node_id: str) -> str:
        number = len(self._addresses) + 1
        return self._addresses.setdefault(node_id, f"127.77.{number >> 8}.{number & 255}")


async def build(nodes: int, tasks: int) -> tuple[Swarm, str, str]:
    """A Swarm at rest, its manager's id and that of the agents' service."""
    swarm = Swarm(SystemClock())
    quick = Behaviour(pull=0.01, start=0.01)
    swarm.behaviours.update({"app:1": quick, "agent:1": quick})
    manager = swarm.add_node("m1", "manager", cpu_cores=64.0, memory_bytes=64 * GIB)
    for number in range(nodes):
        swarm.add_node(f"w{number}", cpu_cores=64.0, memory_bytes=64 * GIB)
    own = swarm.create_service("agent", image="agent:1", replicas=None)
    for number in range(nodes):
        swarm.create_service(f"app-{number}", replicas=tasks, constraints=["node.role==worker"])
    await swarm.converged("agent")
    for number in range(nodes):
        await swarm.converged(f"app-{number}")
    return swarm, manager, own


def plan_of(swarm: Swarm, engine: AtLoopback, own: str, options: Options) -> Plan:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    secret = Path(options.folder) / "secret"
    secret.write_text("a secret of this benchmark alone")
    places = []
    for node in swarm.store.nodes.values():
        tasks = swarm.store.tasks_on[node.id].values()
        ids = tuple(task.id for task in tasks if task.service_id != own and not task.state.ended)
        if node.role != "manager":
            places.append(Place(node.id, node.name, engine.address(node.id), ids))
    return Plan(port, str(secret), tuple(places))


def make_agent(engine: AtLoopback, own: str, plan: Plan, options: Options) -> Agent:
    rules = Path(options.folder) / "rules.yml"
    rules.write_text(RULES)
    settings = Settings(
        docker="simulated",
        rules=(rules,),
        host="127.0.0.1",
        port=0,
        own_service_id=own,
        cgroup_root=NOWHERE,
        proc_root=NOWHERE,
        secret_file=Path(plan.secret_file) if options.mode is Mode.STREAMS else None,
        fleet_host="127.0.0.1",
        fleet_port=plan.port,
        data=Path(options.folder),
    )
    return Agent(settings, engine, SystemClock(), boot_id="actor")


async def until_ready(agent: Agent, options: Options) -> None:
    """It acts, hears everybody and has judged every service."""
    began = asyncio.get_running_loop().time()
    fleet = agent.fleet
    missing = "everything"
    while missing:
        await asyncio.sleep(0.5)
        peers = fleet.peers().values() if fleet is not None else ()
        states = Counter(peer.state.value for peer in peers)
        judged = len(agent.core.controller.book.latest())
        missing = ""
        if agent.core.lease.term() is None:
            missing += f" the lease ({agent.core.lease.why_not()})"
        if fleet is not None and states[PeerState.UP.value] != options.nodes:
            missing += f" agents, of which there are {dict(states)}"
        if judged != options.nodes:
            missing += f" decisions, of which there are {judged}"
        waited = asyncio.get_running_loop().time() - began
        if missing and waited > MOST_UNREADY:
            whys = {peer.why for peer in peers}
            raise SystemExit(f"after {waited:.0f} s this is missing:{missing} {list(whys)[:5]}")
    print(f"ready after {asyncio.get_running_loop().time() - began:.1f} s", file=sys.stderr)


def evaluations(agent: Agent) -> float:
    text = agent.metrics.rules.totals.render(openmetrics=False).decode()
    found = [line for line in text.splitlines() if line.startswith("swarm_rule_evaluations_total")]
    return sum(float(line.split()[-1]) for line in found)


class Meter:
    """What this process used since it was made, and how late its loop was."""

    def __init__(self, agent: Agent | None) -> None:
        self._agent = agent
        self._late: list[float] = []
        self._collecting = self._collected = self._longest = 0.0
        gc.callbacks.append(self._on_collection)
        self._counting = asyncio.create_task(self._count())
        self._began = time.monotonic()
        self._before = self._now()

    async def _count(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY
            await asyncio.sleep(LAG_EVERY)
            self._late.append(max(loop.time() - due, 0.0))

    def _on_collection(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._collecting = time.thread_time()
            return
        took = time.thread_time() - self._collecting
        self._collected += took
        self._longest = max(self._longest, took)

    def _now(self) -> Counter[str]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        found = Counter(cpu=used.ru_utime + used.ru_stime, gc=self._collected)
        # Nanoseconds on a processor, and ready to run without one (sched-stats.rst).
        found["kept_waiting"] = int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
        if self._agent is not None:
            if self._agent.fleet is not None:
                stats = self._agent.fleet.streams.stats
                found.update(frames=stats.frames_in, bytes=stats.bytes_in)
                found.update(reconnects=stats.reconnects, malformed=stats.malformed)
            found["decisions"] = evaluations(self._agent)
        return found

    def read(self) -> dict[str, float]:
        """Per second, but for memory (MiB) and the loop's delays (seconds)."""
        self._counting.cancel()
        gc.callbacks.remove(self._on_collection)
        passed = time.monotonic() - self._began
        after = self._now()
        found = {name: (after[name] - self._before[name]) / passed for name in after}
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        found["memory"] = pages * resource.getpagesize() / (1 << 20)
        found["gc_longest"] = self._longest
        for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
            found[f"late_{name}"] = rank(self._late, share)
        return found


async def measured(agent: Agent | None, options: Options) -> dict[str, Any]:
    await asyncio.sleep(options.warm_up)
    profile = cProfile.Profile(time.thread_time)
    say(Step.BEGUN)
    meter = Meter(agent)
    if options.profile:
        profile.enable()
    await asyncio.sleep(options.seconds)
    profile.disable()
    found: dict[str, Any] = dict(meter.read())
    if options.profile:
        for order in ("tottime", "cumtime"):
            pstats.Stats(profile, stream=sys.stderr).sort_stats(order).print_stats(45)
    if agent is not None:
        latest = agent.core.controller.book.latest()
        found["reasons"] = Counter(entry.decision.reason.value for entry in latest)
        found["samples"] = sum(sum(one.used for one in entry.decision.inputs) for entry in latest)
    return found


async def main(options: Options) -> None:
    allow_files()
    collect_rarely()
    swarm, manager, own = await build(options.nodes, options.tasks)
    engine = AtLoopback(swarm.engine(manager))
    plan = plan_of(swarm, engine, own, options)
    plan.write(options.plan)
    say(Step.PLANNED)
    if options.mode is Mode.SWARM:
        say(Step.ENDED, **await measured(None, options))
        return
    agent = make_agent(engine, own, plan, options)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(agent.run(stop))
        await until_ready(agent, options)
        say(Step.ENDED, **await measured(agent, options))
        stop.set()


if __name__ == "__main__":
    data = json.loads(Path(sys.argv[1]).read_text())
    asyncio.run(main(Options(**{**data, "mode": Mode(data["mode"])})))
