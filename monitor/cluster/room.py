"""How many tasks of a service the nodes have room for: an upper estimate.

The scheduler also asks plugins, volumes, generic resources and engine labels. What cannot be
judged here counts as satisfied, so the true number may be lower, never higher: what is above
the estimate would surely stay pending.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.cluster.constraints import runs_on, satisfies
from monitor.model.node import Availability, Node, NodeState
from monitor.model.room import UNKNOWN_ROOM, Room
from monitor.model.service import Service
from monitor.model.task import Task

_NOISE = 1e-6  # cores: sums of decimal shares are not exact


@dataclass(frozen=True, slots=True)
class Reserved:
    """What the tasks wanted on one node reserve: cores and bytes."""

    cpu: float = 0.0
    memory: int = 0


NOTHING = Reserved()


@dataclass(frozen=True, slots=True)
class Occupancy:
    """What all services take: reservations, and host ports as (protocol, port), by node id."""

    reserved: Mapping[str, Reserved] = field(default_factory=dict)
    host_ports: Mapping[str, frozenset[tuple[str, int]]] = field(default_factory=dict)


def occupancy(services: Mapping[str, Service], tasks: Iterable[Task]) -> Occupancy:
    """Of tasks that the Swarm wants and that have a node; those told to stop make room soon."""
    cpu: defaultdict[str, float] = defaultdict(float)
    memory: Counter[str] = Counter()
    ports: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    ports_of = {service.id: found for service in services.values() if (found := _ports(service))}
    for task in tasks:
        if not task.live or not task.node_id:
            continue
        cpu[task.node_id] += task.cpu_reservation
        memory[task.node_id] += task.memory_reservation
        if task.service_id in ports_of:
            ports[task.node_id] |= ports_of[task.service_id]
    return Occupancy(
        {node_id: Reserved(cpu[node_id], memory[node_id]) for node_id in cpu},
        {node_id: frozenset(taken) for node_id, taken in ports.items()},
    )


def room_for(
    service: Service, tasks: Iterable[Task], nodes: Mapping[str, Node], taken: Occupancy
) -> Room:
    """How many tasks of a replicated service fit in all, those that are placed included.

    tasks: the service's own. UNKNOWN_ROOM where nothing of the service limits it.
    """
    if service.replicas is None or not _limited(service):
        return UNKNOWN_ROOM
    placed = Counter(task.node_id for task in tasks if task.live and task.node_id)
    eligible = [node for node in nodes.values() if _takes_tasks(node) and _suits(node, service)]
    staying = sum(
        count
        for node_id, count in placed.items()
        if node_id in nodes and _keeps_tasks(nodes[node_id])
    )
    if not eligible:
        return Room(staying, "no ready and active node satisfies its placement constraints")
    total, short = staying, Counter[str]()
    for node in eligible:
        more, limit = _more(service, node, placed[node.id], taken)
        if more is None:
            return UNKNOWN_ROOM
        total += more
        short[limit] += 1
    what = " and ".join(sorted(short))
    where = "1 node" if len(eligible) == 1 else f"{len(eligible)} nodes"
    return Room(total, f"{what} of the {where} that may run it")


def _more(service: Service, node: Node, placed: int, taken: Occupancy) -> tuple[int | None, str]:
    """How many more fit on the node, and what limits them; None where nothing does."""
    reserved = taken.reserved.get(node.id, NOTHING)
    limits: list[tuple[int, str]] = []
    if service.cpu_reservation:
        free = node.cpu_cores - reserved.cpu
        limits.append((math.floor(free / service.cpu_reservation + _NOISE), "CPU to reserve"))
    if service.memory_reservation:
        left = node.memory_bytes - reserved.memory
        limits.append((left // service.memory_reservation, "memory to reserve"))
    if service.max_replicas_per_node:
        limits.append((service.max_replicas_per_node - placed, "the most replicas per node"))
    if ports := _ports(service):
        occupied = bool(ports & taken.host_ports.get(node.id, frozenset()))
        limits.append((0 if occupied else 1, "free host ports"))
    if not limits:
        return None, ""
    least, what = min(limits)
    return max(least, 0), what


def _limited(service: Service) -> bool:
    return bool(
        service.cpu_reservation
        or service.memory_reservation
        or service.max_replicas_per_node
        or _placement(service)
        or _ports(service)
    )


def _takes_tasks(node: Node) -> bool:
    return node.state is not NodeState.DOWN and node.availability is Availability.ACTIVE


def _keeps_tasks(node: Node) -> bool:
    return node.state is not NodeState.DOWN and node.availability is not Availability.DRAIN


def _suits(node: Node, service: Service) -> bool:
    placement = _placement(service)
    return satisfies(node, placement.get("Constraints") or ()) and runs_on(
        node, placement.get("Platforms") or ()
    )


def _placement(service: Service) -> Mapping[str, Any]:
    template = service.raw.get("Spec", {}).get("TaskTemplate", {})
    return template.get("Placement") or {}


def _ports(service: Service) -> frozenset[tuple[str, int]]:
    """Ports that a task takes on its own node: only one task of the service fits on each."""
    return frozenset(
        (port.protocol, port.published)
        for port in service.ports
        if port.publish_mode == "host" and port.published
    )
