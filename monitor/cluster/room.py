"""How many tasks of a service the nodes have room for: an upper estimate.

The scheduler also asks plugins, volumes, generic resources and engine labels. What cannot be
judged here counts as satisfied, so the true number may be lower, never higher: what is above
the estimate would surely stay pending.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.cluster.constraints import runs_on, unmet
from monitor.cluster.occupancy import NOTHING, Occupancy, Ports, host_ports
from monitor.model.node import Availability, Node, NodeState
from monitor.model.room import UNKNOWN_ROOM, Room
from monitor.model.service import Service
from monitor.model.task import Task

_NOISE = 1e-6  # cores: sums of decimal shares are not exact
_NOBODY: Counter[str] = Counter()


@dataclass(frozen=True, slots=True)
class Needs:
    """What a task asks of a node. Services with equal needs fit in the same places."""

    cpu: float | None
    memory: int | None
    most_per_node: int
    ports: Ports
    constraints: tuple[str, ...]
    platforms: tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True, slots=True)
class _Spare:
    """nodes: how many may run a task. more: fit on them, None where nothing limits it."""

    nodes: int
    more: int | None
    short: str


@dataclass(slots=True)
class Rooms:
    """For as long as nothing changes about the nodes and what is taken of them."""

    nodes: Mapping[str, Node]
    taken: Occupancy
    _spare: dict[Needs, _Spare] = field(default_factory=dict)

    def of(self, service: Service, tasks: Iterable[Task]) -> Room:
        """See `room_for`."""
        needs = needs_of(service)
        if service.replicas is None or needs is None:
            return UNKNOWN_ROOM
        placed = Counter(task.node_id for task in tasks if task.live and task.node_id)
        staying = sum(
            count
            for node_id, count in placed.items()
            if node_id in self.nodes and _keeps_tasks(self.nodes[node_id])
        )
        spare = self._spare_for(needs, placed)
        if not spare.nodes:
            return Room(staying, "no ready and active node satisfies its placement constraints")
        if spare.more is None:
            return UNKNOWN_ROOM
        where = "1 node" if spare.nodes == 1 else f"{spare.nodes} nodes"
        return Room(staying + spare.more, f"{spare.short} of the {where} that may run it")

    def _spare_for(self, needs: Needs, placed: Counter[str]) -> _Spare:
        if needs.most_per_node:
            return self._count(needs, placed)  # depends on the service's own tasks
        known = self._spare.get(needs)
        if known is None:
            known = self._spare[needs] = self._count(needs, _NOBODY)
        return known

    def _count(self, needs: Needs, placed: Counter[str]) -> _Spare:
        total, eligible, short = 0, 0, Counter[str]()
        for node in self.nodes.values():
            if not takes_tasks(node) or not suits(node, needs):
                continue
            eligible += 1
            more, limit = more_on(needs, node, placed[node.id], self.taken)
            if more is None:
                return _Spare(eligible, None, "")
            total += more
            short[limit] += 1
        return _Spare(eligible, total, " and ".join(sorted(short)))


def room_for(
    service: Service, tasks: Iterable[Task], nodes: Mapping[str, Node], taken: Occupancy
) -> Room:
    """How many tasks of a replicated service fit in all, those that are placed included.

    tasks: the service's own. UNKNOWN_ROOM where nothing of the service limits it.
    """
    return Rooms(nodes, taken).of(service, tasks)


def more_on(needs: Needs, node: Node, placed: int, taken: Occupancy) -> tuple[int | None, str]:
    """How many more fit on the node, and what limits them; None where nothing does."""
    reserved = taken.reserved.get(node.id, NOTHING)
    limits: list[tuple[int, str]] = []
    if needs.cpu:
        free = node.cpu_cores - reserved.cpu
        limits.append((math.floor(free / needs.cpu + _NOISE), "CPU to reserve"))
    if needs.memory:
        left = node.memory_bytes - reserved.memory
        limits.append((left // needs.memory, "memory to reserve"))
    if needs.most_per_node:
        limits.append((needs.most_per_node - placed, "the most replicas per node"))
    if needs.ports:
        occupied = bool(needs.ports & taken.host_ports.get(node.id, frozenset()))
        limits.append((0 if occupied else 1, "free host ports"))
    if not limits:
        return None, ""
    least, what = min(limits)
    return max(least, 0), what


def needs_of(service: Service) -> Needs | None:
    """None where nothing limits where its tasks run."""
    placement = _placement(service)
    ports = host_ports(service)
    cpu, memory = service.cpu_reservation, service.memory_reservation
    if not (cpu or memory or service.max_replicas_per_node or placement or ports):
        return None
    return Needs(
        cpu,
        memory,
        service.max_replicas_per_node,
        ports,
        tuple(placement.get("Constraints") or ()),
        tuple(
            tuple((str(key), str(value or "")) for key, value in platform.items())
            for platform in placement.get("Platforms") or ()
        ),
    )


def takes_tasks(node: Node) -> bool:
    return node.state is not NodeState.DOWN and node.availability is Availability.ACTIVE


def _keeps_tasks(node: Node) -> bool:
    return node.state is not NodeState.DOWN and node.availability is not Availability.DRAIN


def suits(node: Node, needs: Needs) -> bool:
    return not misfit(node, needs)


def misfit(node: Node, needs: Needs) -> str:
    """Why the scheduler never puts a task there, whatever else is on it; "" where it may."""
    constraint = unmet(node, needs.constraints)
    if constraint:
        return f"its constraint {constraint}"
    if needs.platforms and not runs_on(node, map(dict, needs.platforms)):
        return f"its image, which is not for {node.os}/{node.arch}"
    return ""


def _placement(service: Service) -> Mapping[str, Any]:
    template = service.raw.get("Spec", {}).get("TaskTemplate", {})
    return template.get("Placement") or {}
