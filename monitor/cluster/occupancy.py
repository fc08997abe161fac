"""What tasks take of the nodes they are on, kept up to date service by service."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from monitor.model.service import Service
from monitor.model.task import Task

_NANO = 1_000_000_000

Ports = frozenset[tuple[str, int]]
"""(protocol, port) on a node's own address."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """What the tasks wanted on one node reserve: cores and bytes."""

    cpu: float = 0.0
    memory: int = 0


NOTHING = Reserved()


@dataclass(frozen=True, slots=True)
class Occupancy:
    """What all services take, by node id; another object after each change."""

    reserved: Mapping[str, Reserved] = field(default_factory=dict)
    host_ports: Mapping[str, Ports] = field(default_factory=dict)


@dataclass(slots=True)
class _Share:
    """One service's: (1e-9 cores, bytes) by node, and the ports that it takes on each of them."""

    nodes: dict[str, tuple[int, int]] = field(default_factory=dict)
    ports: Ports = frozenset()


class Occupied:
    """Whole numbers are added and taken away, so that no sum drifts.

    Most changes of a task, say from starting to running, change nothing here.
    """

    def __init__(self) -> None:
        self._shares: dict[str, _Share] = {}
        self._totals: dict[str, tuple[int, int]] = {}
        self._ports: dict[str, Counter[tuple[str, int]]] = {}
        self._reserved: dict[str, Reserved] = {}
        self._host_ports: dict[str, Ports] = {}
        self.now = Occupancy()

    def put(self, service_id: str, ports: Ports, tasks: Iterable[Task]) -> None:
        """All tasks of a service: those count that the Swarm wants and that have a node; those
        told to stop make room soon. ports: its `host_ports`."""
        nodes: dict[str, tuple[int, int]] = {}
        for task in tasks:
            if task.node_id and task.live:
                nano, memory = nodes.get(task.node_id, (0, 0))
                nano += round(task.cpu_reservation * _NANO)
                nodes[task.node_id] = nano, memory + task.memory_reservation
        new = _Share(nodes, ports)
        old = self._shares.get(service_id, _Share())
        if new == old:
            return
        self._shares[service_id] = new
        self._move(old, new)

    def drop(self, service_id: str) -> None:
        """The service is gone."""
        old = self._shares.pop(service_id, None)
        if old is not None:
            self._move(old, _Share())

    def _move(self, old: _Share, new: _Share) -> None:
        for node_id in dict.fromkeys((*old.nodes, *new.nodes)):
            nano, memory = self._totals.get(node_id, (0, 0))
            before, after = old.nodes.get(node_id, (0, 0)), new.nodes.get(node_id, (0, 0))
            total = nano - before[0] + after[0], memory - before[1] + after[1]
            self._totals[node_id] = total
            self._reserved[node_id] = Reserved(total[0] / _NANO, total[1])
            if old.ports or new.ports:
                taken = self._ports.setdefault(node_id, Counter())
                taken.subtract(old.ports if node_id in old.nodes else ())
                taken.update(new.ports if node_id in new.nodes else ())
                self._host_ports[node_id] = frozenset(+taken)
        self.now = Occupancy(self._reserved, self._host_ports)


def occupancy(services: Mapping[str, Service], tasks: Iterable[Task]) -> Occupancy:
    """What these tasks take together."""
    by_service: dict[str, list[Task]] = {}
    for task in tasks:
        by_service.setdefault(task.service_id, []).append(task)
    occupied = Occupied()
    for service_id, own in by_service.items():
        service = services.get(service_id)
        occupied.put(service_id, host_ports(service) if service else frozenset(), own)
    return occupied.now


def host_ports(service: Service) -> Ports:
    """Ports that a task takes on its own node: only one task of the service fits on each."""
    return frozenset(
        (port.protocol, port.published)
        for port in service.ports
        if port.publish_mode == "host" and port.published
    )
