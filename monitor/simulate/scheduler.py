"""Where pending tasks go: swarmkit's filters, then the spread over nodes."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable

from monitor.model.node import Availability, NodeState
from monitor.model.task import TaskState
from monitor.simulate.spec import (
    constraints_of,
    fits_platform,
    host_ports_of,
    matches,
    resources_of,
)
from monitor.simulate.state import SimNode, SimTask
from monitor.simulate.store import Store

_Room = dict[str, tuple[float, int]]
_Ports = frozenset[tuple[str, int]]
_Taken = dict[str, _Ports]

# In the order in which swarmkit asks: what a node lacks first is what is told of it.
_NOT_READY = "not available for new tasks"
_NO_ROOM = "insufficient resources"
_CONSTRAINED = "scheduling constraints not satisfied"
_PLATFORM = "unsupported platform"
_PORT_TAKEN = "host-mode port already in use"
_TOO_MANY = "max replicas per node limit exceed"
_REASONS = (_NOT_READY, _NO_ROOM, _CONSTRAINED, _PLATFORM, _PORT_TAKEN, _TOO_MANY)


def schedule(store: Store, pending: Iterable[SimTask]) -> list[SimTask]:
    """Assign every pending task that fits somewhere; explain the others in their `error`.

    Spread as swarmkit does it: the node with the fewest tasks of the service, then the one
    with the fewest tasks at all. Returns the tasks that were assigned.
    """
    groups: dict[tuple[str, int], list[SimTask]] = defaultdict(list)
    for task in pending:
        if task.state is TaskState.PENDING and task.desired <= TaskState.COMPLETE:
            groups[task.service_id, task.spec_version].append(task)
    if not groups:
        return []
    room = {node.id: _free(node, store.tasks_on[node.id].values()) for node in store.nodes.values()}
    taken = {node.id: _host_ports_on(store, node) for node in store.nodes.values()}
    assigned: list[SimTask] = []
    for tasks in groups.values():
        if tasks[0].node_id:
            assigned += [task for task in tasks if _schedule_bound(store, task, room, taken)]
        else:
            assigned += _schedule_alike(store, tasks, room, taken)
    return assigned


def _schedule_bound(store: Store, task: SimTask, room: _Room, taken: _Taken) -> bool:
    """A task of a global service: it may run on its own node or not at all."""
    node = store.nodes.get(task.node_id)
    cpu, memory = resources_of(task.spec, "Reservations")
    unfit = _NOT_READY
    ports = host_ports_of(task)
    if node is not None:
        unfit = _unfit(node, task.spec, room[node.id], (cpu, memory)) or ""
        if not unfit and ports & taken[node.id]:
            unfit = _PORT_TAKEN
    if unfit:
        _refuse(store, task, _explain(Counter([unfit])))
        return False
    store.move_task(task, TaskState.ASSIGNED, error="", message="scheduler assigned task")
    room[task.node_id] = (room[task.node_id][0] - cpu, room[task.node_id][1] - memory)
    taken[task.node_id] |= ports
    return True


def _refuse(store: Store, task: SimTask, error: str) -> None:
    if task.error != error:
        store.update(task, error=error, message="pending task scheduling")


def _free(node: SimNode, tasks: Iterable[SimTask]) -> tuple[float, int]:
    cpu, memory = node.cpu_cores, node.memory_bytes
    for task in tasks:
        if task.occupies:
            reserved = resources_of(task.spec, "Reservations")
            cpu, memory = cpu - reserved[0], memory - reserved[1]
    return cpu, memory


def _host_ports_on(store: Store, node: SimNode) -> _Ports:
    tasks = store.tasks_on[node.id].values()
    return frozenset().union(*(host_ports_of(task) for task in tasks if task.occupies))


def _schedule_alike(
    store: Store, tasks: list[SimTask], room: _Room, taken: _Taken
) -> list[SimTask]:
    """Tasks of one service and one spec: what fits one fits all."""
    template = tasks[0].spec
    cpu, memory = resources_of(template, "Reservations")
    ports = host_ports_of(tasks[0])
    most = (template.get("Placement") or {}).get("MaxReplicas", 0)
    why: Counter[str] = Counter()
    heap: list[tuple[int, int, str]] = []
    for node in store.nodes.values():
        here = [task for task in store.tasks_on[node.id].values() if task.occupies]
        same = sum(1 for task in here if task.service_id == tasks[0].service_id)
        unfit = _unfit(node, template, room[node.id], (cpu, memory))
        if unfit is None and ports & taken[node.id]:
            unfit = _PORT_TAKEN
        if unfit is None and most and same >= most:
            unfit = _TOO_MANY
        if unfit is None:
            heapq.heappush(heap, (same, len(here), node.id))
        else:
            why[unfit] += 1
    assigned: list[SimTask] = []
    for task in tasks:
        if not heap:
            said = _explain(why)
            _refuse(store, task, f"no suitable node ({said})" if said else "no suitable node")
            continue
        same, all_tasks, node_id = heapq.heappop(heap)
        store.move_task(
            task, TaskState.ASSIGNED, node_id=node_id, error="", message="scheduler assigned task"
        )
        assigned.append(task)
        left = room[node_id] = (room[node_id][0] - cpu, room[node_id][1] - memory)
        taken[node_id] |= ports
        if left[0] + 1e-9 < cpu or left[1] < memory:
            why[_NO_ROOM] += 1
        elif ports:
            why[_PORT_TAKEN] += 1
        elif most and same + 1 >= most:
            why[_TOO_MANY] += 1
        else:
            heapq.heappush(heap, (same + 1, all_tasks + 1, node_id))
    return assigned


def _unfit(
    node: SimNode, template: dict[str, object], free: tuple[float, int], needs: tuple[float, int]
) -> str | None:
    if node.state is not NodeState.READY or node.availability is not Availability.ACTIVE:
        return _NOT_READY
    if free[0] + 1e-9 < needs[0] or free[1] < needs[1]:
        return _NO_ROOM
    if not matches(constraints_of(template), node):
        return _CONSTRAINED
    if not fits_platform(template):
        return _PLATFORM
    return None


def _explain(why: Counter[str]) -> str:
    """As swarmkit's pipeline does: what most nodes lack first, then in the filters' order."""
    parts = []
    for reason in sorted(_REASONS, key=lambda reason: -why[reason]):
        count = why[reason]
        nodes = f"{count} node" + ("s" if count > 1 else "")
        if count:
            said = {_NOT_READY: f"{nodes} {reason}", _TOO_MANY: reason}
            parts.append(said.get(reason, f"{reason} on {nodes}"))
    return "; ".join(parts)
