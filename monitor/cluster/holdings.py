"""What the mirror holds: nodes, services and their tasks, and what an answer changes in it.

Objects whose version an answer repeats stay the very same objects (`is`), so that whoever
compares two moments only has to look at what differs.
"""

import operator
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from monitor.cluster.moments import Moments
from monitor.cluster.occupancy import Occupancy, Occupied, host_ports
from monitor.cluster.room import Rooms
from monitor.model.node import Node
from monitor.model.room import UNKNOWN_ROOM, Room
from monitor.model.service import Service
from monitor.model.task import Task
from monitor.model.view import ServiceView

# An answer may be old. One that says the same older thing this much later is the truth: the
# Swarm was restored from a backup and its versions began anew.
_RESTORED_AFTER = 5.0


@dataclass(slots=True)
class TaskSet:
    """All known tasks of a service by id, and in a view's order."""

    by_id: dict[str, Task] = field(default_factory=dict)
    ordered: tuple[Task, ...] = ()
    read_at: float = float("-inf")
    moments: Moments = field(default_factory=Moments)
    room: tuple[tuple[object, ...], Room] = ((None,), UNKNOWN_ROOM)


@dataclass(slots=True)
class Changes:
    """What one answer changed, by id; `tasks` counts changed tasks by service.

    `touched`: services whose view is another one now, for whatever reason.
    """

    nodes: dict[str, None] = field(default_factory=dict)
    services: dict[str, None] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)
    touched: dict[str, None] = field(default_factory=dict)
    before: dict[str, tuple[Service, tuple[Task, ...] | None]] = field(default_factory=dict)


class Holdings:
    """`now` is when an answer came, `sent` when it was asked for: monotonic seconds."""

    def __init__(self) -> None:
        self._nodes: Mapping[str, Node] = MappingProxyType({})
        self._services: dict[str, Service] = {}
        self._by_name: dict[str, str] = {}
        self._tasks: dict[str, TaskSet] = {}
        self.node_of: dict[str, str] = {}
        """Node by task id, "" until assigned."""
        self._seen_at: dict[str, float] = {}
        self._version_since: dict[str, float] = {}
        self._older: dict[str, tuple[int, float]] = {}
        self._listed = False
        self._occupied = Occupied()
        self._rooms = Rooms(self._nodes, self._occupied.now)

    @property
    def nodes(self) -> Mapping[str, Node]:
        return self._nodes

    @property
    def services(self) -> Mapping[str, Service]:
        return MappingProxyType(self._services)

    @property
    def taken(self) -> Occupancy:
        return self._occupied.now

    def view(self, service_id: str, *, fresh: bool, room: bool = True) -> ServiceView | None:
        """room: whether the nodes' room for it is asked for; else it is unknown in the view."""
        service = self._services.get(service_id)
        if service is None:
            return None
        tasks = self._tasks.get(service_id) or TaskSet()
        moments = tasks.moments
        return ServiceView(
            service=service,
            tasks=tasks.ordered,
            nodes=self._nodes,
            version_since=self._version_since[service_id],
            tasks_read_at=tasks.read_at,
            fresh=fresh,
            running_since=moments.running_since,
            starting_since=moments.starting_since,
            pending_since=moments.pending_since,
            failed_at=moments.failed_at,
            room=self._room(service, tasks) if room else UNKNOWN_ROOM,
        )

    def stopped_by_us(self, service_id: str, task_id: str, now: float) -> None:
        """The end of that task is no failure of its service."""
        tasks = self._tasks.get(service_id)
        if tasks is not None:
            tasks.moments.stopped_by_us(task_id, now)

    def _room(self, service: Service, tasks: TaskSet) -> Room:
        """Worked out anew only after something that it hangs on changed."""
        taken = self._occupied.now
        facts = (service, tasks.ordered, self._nodes, taken)
        known, room = tasks.room
        if not all(map(operator.is_, known, facts)):
            if self._rooms.nodes is not self._nodes or self._rooms.taken is not taken:
                self._rooms = Rooms(self._nodes, taken)
            room = self._rooms.of(service, tasks.ordered)
            tasks.room = (facts, room)
        return room

    def by_name(self, name: str) -> str | None:
        """The id of the service that has this very name."""
        return self._by_name.get(name)

    def services_on(self, node_ids: Collection[str]) -> list[str]:
        """Services that have a task on one of the nodes, ended ones included."""
        return [
            service_id
            for service_id, tasks in self._tasks.items()
            if any(task.node_id in node_ids for task in tasks.ordered)
        ]

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc]

    def take_all(
        self,
        nodes: Sequence[Node],
        services: Sequence[Service],
        tasks: Iterable[Task],
        sent: float,
        now: float,
    ) -> Changes:
        """A full list; what it lacks is gone, unless it was seen after the list was asked for."""
        restored = self._was_restored(services, now)
        changes = self.take_nodes(nodes, restored=restored)
        for service in services:
            self._take_service(service, now, changes, restored=restored)
        listed = {service.id for service in services}
        for service_id in [known for known in self._services if known not in listed]:
            if self._seen_at[service_id] < sent:
                self._remove(service_id, changes)
        by_service: dict[str, list[Task]] = defaultdict(list)
        for task in tasks:
            by_service[task.service_id].append(task)
        for service_id in self._services:
            self._take_tasks(
                service_id, by_service.get(service_id, ()), sent, now, changes, restored=restored
            )
        self._listed = True
        return changes

    def take_nodes(self, nodes: Sequence[Node], *, restored: bool = False) -> Changes:
        """The list of all nodes."""
        changes = Changes()
        held: dict[str, Node] = {}
        moved: set[str] = set()
        for node in nodes:
            known = self._nodes.get(node.id)
            if known is not None and _keep(known.version, node.version, restored=restored):
                held[node.id] = known
                continue
            held[node.id] = node
            changes.nodes[node.id] = None
            if known is None or _standing(known) != _standing(node):
                moved.add(node.id)
        gone = [node_id for node_id in self._nodes if node_id not in held]
        changes.nodes.update(dict.fromkeys(gone))
        moved.update(gone)
        if changes.nodes:
            self._nodes = MappingProxyType(held)
        if moved:
            changes.touched.update(dict.fromkeys(self.services_on(moved)))
        return changes

    def take_service(self, service: Service, now: float) -> Changes:
        """One service as it was inspected."""
        changes = Changes()
        self._take_service(service, now, changes, restored=False)
        return changes

    def take_tasks(
        self, service_id: str, tasks: Iterable[Task], sent: float, now: float
    ) -> Changes:
        """All tasks of one service; of no effect where newer ones are held, or none are wanted."""
        changes = Changes()
        own = [task for task in tasks if task.service_id == service_id]
        if service_id in self._services:
            self._take_tasks(service_id, own, sent, now, changes, restored=False)
        return changes

    def remove(self, service_id: str) -> Changes:
        """The Swarm says that there is no such service."""
        changes = Changes()
        if service_id in self._services:
            self._remove(service_id, changes)
        return changes

    def _was_restored(self, services: Iterable[Service], now: float) -> bool:
        older: dict[str, tuple[int, float]] = {}
        restored = False
        for service in services:
            known = self._services.get(service.id)
            if known is None or service.version >= known.version:
                continue
            version, since = self._older.get(service.id, (service.version, now))
            if version == service.version and now - since >= _RESTORED_AFTER:
                restored = True
            older[service.id] = (service.version, since if version == service.version else now)
        self._older = {} if restored else older
        return restored

    def _take_service(
        self, service: Service, now: float, changes: Changes, *, restored: bool
    ) -> None:
        known = self._services.get(service.id)
        self._seen_at[service.id] = now
        if known is not None and _keep(known.version, service.version, restored=restored):
            if known.version != service.version or not _new_job_counts(known, service):
                return
        elif not service.mode.is_job:
            service = replace(service, desired_tasks=None, running_tasks=None, completed_tasks=None)
        self._services[service.id] = service
        self._by_name[service.name] = service.id
        if service.id in self._tasks:
            self._occupied.put(service.id, host_ports(service), self._tasks[service.id].ordered)
        changes.touched[service.id] = None
        if known is None or known.version != service.version:
            self._version_since[service.id] = now
            changes.services[service.id] = None

    def _take_tasks(
        self,
        service_id: str,
        tasks: Iterable[Task],
        sent: float,
        now: float,
        changes: Changes,
        *,
        restored: bool,
    ) -> None:
        held = self._tasks.get(service_id)
        if held is None:
            held = self._tasks[service_id] = TaskSet()
        if sent < held.read_at:
            return
        first = held.read_at == float("-inf")
        tasks = tuple(tasks)
        old, new, changed = held.by_id, dict[str, Task](), 0
        if len(tasks) == len(old) and all(old.get(task.id) is task for task in tasks):
            held.read_at = sent  # as nearly always in a list of everything
            return
        for task in tasks:
            known = old.get(task.id)
            if known is not None and _keep(known.version, task.version, restored=restored):
                new[task.id] = known
            else:
                new[task.id] = task
                changed += 1
        changed += sum(1 for task_id in old if task_id not in new)
        held.read_at = sent
        if not changed:
            return
        known_before = None if first and not self._listed else held.ordered
        held.moments.update(
            old, new, self._services[service_id].template, now, watched=known_before is not None
        )
        changes.before[service_id] = (self._services[service_id], known_before)
        held.by_id = new
        for task_id in old:
            if task_id not in new:
                self.node_of.pop(task_id, None)
        self.node_of.update((task.id, task.node_id) for task in new.values())
        held.ordered = tuple(sorted(new.values(), key=_order))
        self._occupied.put(service_id, host_ports(self._services[service_id]), held.ordered)
        changes.tasks[service_id] = changed
        changes.touched[service_id] = None

    def _remove(self, service_id: str, changes: Changes) -> None:
        service = self._services.pop(service_id)
        if self._by_name.get(service.name) == service_id:
            del self._by_name[service.name]
        tasks = self._tasks.pop(service_id, None)
        self._occupied.drop(service_id)
        del self._seen_at[service_id], self._version_since[service_id]
        changes.services[service_id] = None
        changes.touched[service_id] = None
        for task_id in tasks.by_id if tasks is not None else ():
            self.node_of.pop(task_id, None)
        if tasks is not None and tasks.ordered:
            changes.before[service_id] = (service, tasks.ordered)


def _keep(known: int, answered: int, *, restored: bool) -> bool:
    """Whether the known object stays: an answer repeats it, or is older than it."""
    return answered == known or (answered < known and not restored)


def _standing(node: Node) -> tuple[str, str]:
    return node.state, node.availability


def _order(task: Task) -> tuple[int, str, float, str]:
    """By slot or node, newest first."""
    return task.slot or 0, "" if task.slot else task.node_id, -task.created_at, task.id


def _new_job_counts(known: Service, answered: Service) -> bool:
    """Whether a list tells another number of completed tasks of a job: no version says so.

    The counts of other services are left out on purpose: they count tasks on nodes that are
    down and are out of date with the first task that changes. The tasks themselves say it all.
    """
    if not known.mode.is_job or answered.desired_tasks is None:
        return False
    return _job_counts(known) != _job_counts(answered)


def _job_counts(service: Service) -> tuple[int | None, int | None, int | None]:
    return service.desired_tasks, service.running_tasks, service.completed_tasks
