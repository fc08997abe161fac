"""From a service's spec to tasks: slots of replicated services, nodes of global ones, jobs."""

from collections import Counter, defaultdict

from monitor.model.node import Availability
from monitor.model.task import TaskState
from monitor.simulate.restart import Restarter, new_task
from monitor.simulate.spec import constraints_of, matches, mode_of, replicas_of
from monitor.simulate.state import SimService, SimTask
from monitor.simulate.store import Store
from monitor.simulate.updater import Updaters

Slots = dict[int | str, list[SimTask]]


class Orchestrator:
    """swarmkit's replicated and global orchestrators; jobs only run, one iteration at a time."""

    def __init__(self, store: Store, restarter: Restarter, updaters: Updaters) -> None:
        self._store = store
        self._restarter = restarter
        self._updaters = updaters

    def reconcile(self, service: SimService) -> None:
        match mode_of(service.spec):
            case "Replicated":
                self._replicated(service)
            case "Global":
                self._global(service)
            case _:
                self._job(service)

    def replace_lost(self, service_id: str) -> None:
        """Restart tasks that ended by themselves or whose node cannot run them any more."""
        service = self._store.services.get(service_id)
        if service is None or mode_of(service.spec).endswith("Job"):
            return
        for task in list(self._store.tasks_of[service_id].values()):
            if task.desired > TaskState.RUNNING:
                continue
            node = self._store.nodes.get(task.node_id)
            lost = task.node_id != "" and (node is None or node.invalid)
            if lost and mode_of(service.spec) == "Global":
                self._store.update(task, desired=TaskState.SHUTDOWN)
            elif task.state.ended or lost:
                self._restarter.restart(service, task)

    def remove(self, service_id: str) -> None:
        """The service is gone: its tasks are told to go too."""
        self._set_removed(list(self._store.tasks_of[service_id].values()))

    def _set_removed(self, tasks: list[SimTask]) -> None:
        for task in tasks:
            if task.desired is not TaskState.REMOVE:
                self._store.update(task, desired=TaskState.REMOVE)

    def _forget_history(self, removed: SimTask) -> None:
        for task in list(self._store.tasks_of[removed.service_id].values()):
            if task.place == removed.place and task.state.ended:
                self._store.remove(task)

    def _slots(self, service: SimService) -> tuple[Slots, Slots]:
        """Slots that an update may touch, and slots that hold nothing but history."""
        places: Slots = defaultdict(list)
        for task in self._store.tasks_of[service.id].values():
            if task.desired is not TaskState.REMOVE:
                places[task.place].append(task)
        updatable: Slots = {}
        dead: Slots = {}
        for place, tasks in places.items():
            wanted = [task for task in tasks if task.desired <= TaskState.RUNNING]
            newest = max(tasks, key=lambda task: task.created_ns)
            if wanted:
                updatable[place] = wanted
            elif (
                newest.state.ended
                and service.update_state != "rollback_started"
                and not self._restarter.should_restart(service, newest)
            ):
                updatable[place] = [newest]  # it did its work and keeps its slot
            else:
                dead[place] = tasks
        return updatable, dead

    def _replicated(self, service: SimService) -> None:
        slots, dead = self._slots(service)
        wanted = replicas_of(service.spec)
        if wanted >= len(slots):
            self._updaters.update(service, list(slots.values()))
            place = 0
            for _ in range(wanted - len(slots)):
                place += 1
                while place in slots:
                    place += 1
                dead.pop(place, None)
                new_task(self._store, service, place, TaskState.RUNNING)
        else:
            kept_first = _by_balance(list(slots.values()))
            self._updaters.update(service, kept_first[:wanted])
            for slot in kept_first[wanted:]:
                self._set_removed(slot)
                self._forget_history(slot[0])
        for tasks in dead.values():
            for task in tasks:
                self._store.remove(task)

    def _global(self, service: SimService) -> None:
        slots, _ = self._slots(service)
        template = service.spec["TaskTemplate"]
        kept: list[list[SimTask]] = []
        for node in list(self._store.nodes.values()):
            fits = matches(constraints_of(template), node)
            slot = slots.pop(node.id, None)
            if node.invalid or not fits:
                for task in slot or ():
                    if task.desired <= TaskState.RUNNING:
                        self._store.update(task, desired=TaskState.SHUTDOWN)
            elif slot is not None:
                kept.append(slot)
            elif node.availability is Availability.ACTIVE:
                new_task(self._store, service, node.id, TaskState.RUNNING)
        for slot in slots.values():  # their nodes are gone
            self._set_removed(slot)
        self._updaters.update(service, kept)

    def _job(self, service: SimService) -> None:
        """As many tasks of the present iteration as are to complete; older ones are removed."""
        current: list[SimTask] = []
        for task in list(self._store.tasks_of[service.id].values()):
            if task.job_iteration == service.job_iteration:
                current.append(task)
            else:
                self._set_removed([task])
        if "GlobalJob" in service.spec["Mode"]:
            self._job_on_each_node(service, {task.node_id for task in current})
            return
        mode = service.spec["Mode"].get("ReplicatedJob") or {}
        done = sum(1 for task in current if task.state is TaskState.COMPLETE)
        active = sum(1 for task in current if not task.state.ended)
        at_once = mode.get("MaxConcurrent", 1)
        total = mode.get("TotalCompletions", at_once)
        taken = {task.slot for task in current}
        slot = 0
        for _ in range(max(0, min(at_once, total - done) - active)):
            while slot in taken or slot == 0:
                slot += 1
            taken.add(slot)
            new_task(self._store, service, slot, TaskState.COMPLETE)

    def _job_on_each_node(self, service: SimService, had: set[str]) -> None:
        constraints = constraints_of(service.spec["TaskTemplate"])
        for node in list(self._store.nodes.values()):
            ready = not node.invalid and node.availability is Availability.ACTIVE
            if ready and node.id not in had and matches(constraints, node):
                new_task(self._store, service, node.id, TaskState.COMPLETE)


def _by_balance(slots: list[list[SimTask]]) -> list[list[SimTask]]:
    """Those to keep first: running before others, then even over nodes (swarmkit's scale-down).

    Each slot is counted as the nth copy on its node; the highest counts go first.
    """
    running_first = sorted(
        slots, key=lambda slot: not any(task.state is TaskState.RUNNING for task in slot)
    )
    copies: Counter[str] = Counter()
    order: dict[int, float] = {}
    for slot in running_first:
        if len(slot) == 1 and slot[0].node_id:
            copies[slot[0].node_id] += 1
            order[id(slot)] = copies[slot[0].node_id]
        else:
            order[id(slot)] = float("inf")
    return sorted(running_first, key=lambda slot: order[id(slot)])
