"""What a service's tasks put on each node."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from monitor.model.view import ServiceView


@dataclass(frozen=True, slots=True)
class Load:
    """Whole numbers, so that sums stay exact however often they are added and taken off again.

    nano_cpus: 1e-9 cores, as the Engine API counts reservations. memory: bytes.
    """

    nano_cpus: int = 0
    memory: int = 0
    running: int = 0

    def plus(self, other: "Load") -> "Load":
        return Load(
            self.nano_cpus + other.nano_cpus,
            self.memory + other.memory,
            self.running + other.running,
        )

    def minus(self, other: "Load") -> "Load":
        return Load(
            self.nano_cpus - other.nano_cpus,
            self.memory - other.memory,
            self.running - other.running,
        )


NO_LOAD = Load()


def loads_of(view: ServiceView) -> Mapping[str, Load]:
    """By node id: reservations of tasks that should run there, and how many do."""
    loads: defaultdict[str, Load] = defaultdict(Load)
    for task in view.tasks:
        if task.node_id and task.live:
            reserved = Load(round(task.cpu_reservation * 1e9), task.memory_reservation)
            loads[task.node_id] = loads[task.node_id].plus(reserved)
    for task in view.running_tasks:
        loads[task.node_id] = loads[task.node_id].plus(Load(running=1))
    return loads
