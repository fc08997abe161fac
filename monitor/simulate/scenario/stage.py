"""Makes a Swarm what a scenario says, and lets happen to it what shall."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from monitor.simulate.executor import Behaviour
from monitor.simulate.load import Demand
from monitor.simulate.load import Memory as MemoryOf
from monitor.simulate.scenario import curves
from monitor.simulate.scenario.models import (
    Cpu,
    Happening,
    Memory,
    Node,
    Rate,
    Requests,
    Scenario,
    Service,
    beside,
)
from monitor.simulate.serving import Requests as RequestsOf
from monitor.simulate.swarm import Swarm

USUAL_NODES = 5


class Stage:
    """`nodes` generated ones take the place of the scenario's; None: its own, or five.

    path: the scenario's file, beside which it names others. Curves begin now.
    """

    def __init__(
        self,
        swarm: Swarm,
        scenario: Scenario,
        *,
        path: Path | None = None,
        nodes: int | None = None,
    ) -> None:
        self._swarm = swarm
        self._path = path
        self._happens = sorted(scenario.happens, key=lambda one: one.at)
        given = generated(nodes) if nodes else scenario.nodes or generated(USUAL_NODES)
        self.nodes: dict[str, str] = {}  # ids by name, managers first
        for node in sorted(given, key=lambda node: node.role):
            self.nodes[node.name] = swarm.add_node(
                node.name,
                node.role,
                cpu_cores=node.cpus,
                memory_bytes=node.memory,
                labels=node.labels,
            )
        for service in scenario.services:
            self._create(service)

    async def run(self) -> None:
        """Lets everything happen at its time, from now on, and returns after the last."""
        begin = self._swarm.mono()
        for one in self._happens:
            await asyncio.sleep(max(0.0, begin + one.at - self._swarm.mono()))
            self._befall(one)

    def _befall(self, one: Happening) -> None:
        swarm = self._swarm
        if one.kind == "deploy":
            # A person may have removed it meanwhile.
            if any(service.name == one.whom for service in swarm.store.services.values()):
                swarm.deploy(one.whom, one.image or "")
            return
        node_id = self.nodes.get(one.whom, "")
        if node_id in swarm.store.nodes:
            getattr(swarm, one.kind)(node_id)

    def _create(self, given: Service) -> None:
        swarm = self._swarm
        swarm.behaviours.setdefault(
            given.image,
            Behaviour(
                start=given.start,
                stop=given.stop,
                exit_after=given.exits_after,
                exit_code=given.exit_code,
                unhealthy_after=given.unhealthy_after,
            ),
        )
        swarm.create_service(
            given.name,
            image=given.image,
            replicas=None if given.mode == "global" else given.replicas,
            start_period=None if given.unhealthy_after is None else 0.0,
            labels=given.labels,
            constraints=given.constraints,
            cpu_limit=given.cpu_limit,
            cpu_reservation=given.cpu_reservation,
            memory_limit=given.memory_limit,
            memory_reservation=given.memory_reservation,
        )
        demand = _demand(given.curve, self._path)
        if given.requests is None:
            swarm.set_load(given.name, demand)
        else:
            swarm.set_requests(given.name, _requests(given.requests, demand))
        swarm.set_memory(given.name, _memory(given.memory))


def generated(count: int) -> Iterable[Node]:
    """m1, m2..., w1, w2...: three managers from five nodes on, else one."""
    managers = 3 if count >= USUAL_NODES else 1
    return [
        Node(name=f"m{number}", role="manager")
        if number <= managers
        else Node(name=f"w{number - managers}")
        for number in range(1, count + 1)
    ]


def _requests(given: Requests, rate: Demand) -> RequestsOf:
    return RequestsOf(
        rate=rate,
        cpu=given.cpu,
        wait=given.wait,
        most_waiting=given.queue,
        memory=given.memory,
    )


def _demand(cpu: Cpu | Rate, path: Path | None) -> Demand:
    if cpu.step is not None:
        return curves.steps([(step.at, step.height) for step in cpu.step.steps], cpu.step.repeat)
    if cpu.ramp is not None:
        return curves.ramp(cpu.ramp.start, cpu.ramp.to, cpu.ramp.over)
    if cpu.daily is not None:
        return curves.daily(cpu.daily.low, cpu.daily.high, cpu.daily.period)
    if cpu.burst is not None:
        return curves.burst(cpu.burst.base, cpu.burst.peak, cpu.burst.every, cpu.burst.lasting)
    if cpu.trace is not None:
        return curves.trace(curves.read_trace(beside(path, cpu.trace.file)), cpu.trace.repeat)
    return cpu.constant or 0.0


def _memory(memory: Memory) -> MemoryOf:
    if memory.leak is None:
        return memory.constant or 0
    start, per_second = memory.leak.start, memory.leak.per_minute / 60
    return lambda age: round(start + per_second * age)
