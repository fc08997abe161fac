"""The part of a world that ails: its services, what is wrong with them, what is stopped there."""

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from monitor.agent.operations import OperatorDesk
from monitor.decide.find_ends import FAILURES, SETTLED
from monitor.model.container import Health
from monitor.model.node import Availability, NodeState
from monitor.model.task import TaskState
from monitor.model.usage import Reading
from monitor.simulate.executor import Behaviour
from monitor.simulate.state import SimNode, SimTask
from monitor.web.state import Refused
from tests.simulated.bench import _deciding as deciding
from tests.simulated.dst.ailing import AILING, DELAY, MIB, QUICK, Ailing
from tests.simulated.dst.history import (
    Blamed,
    Ended,
    Halted,
    Kept,
    NodeWas,
    NodeWritten,
    Removed,
    Stopped,
    TookOver,
    Unparked,
)

if TYPE_CHECKING:
    from tests.simulated.dst.process import FleetProcess
    from tests.simulated.dst.world import World

MOVED = frozenset(one.service for one in AILING["moves"])
KNOWN_LATE = 40.0
"""Seconds for which an agent may not know yet that a node went: a re-list, and its decision."""

SLOW_STOP = 2.0
"""Seconds that tasks of `leaky` take to stop: a second one may be due meanwhile."""


@dataclass(frozen=True, slots=True)
class Ill:
    """What becomes of each task of a service: it ends so many seconds after it began to run.

    node: the id of the one on which alone it does, "" for all.
    """

    after: float
    exit_code: int
    oom: bool = False
    node: str = ""


class Ward:
    """leaking: tasks by id, or slots as (service, slot), that leak, and since when.

    halted: tasks that ended since an agent had them stopped, and their services' names.
    """

    def __init__(self, world: "World", kinds: Sequence[str]) -> None:
        self._world = world
        self._all_ends = "nodes" in kinds
        self.kinds = tuple(kinds)
        self.here: tuple[Ailing, ...] = tuple(one for kind in kinds for one in AILING[kind])
        self.services = tuple(one.service for one in self.here)
        self.ill: dict[str, Ill] = {}
        self.leaking: dict[object, float] = {}
        self._leaked: dict[str, float] = {}
        self._skewed: dict[str, float] = {}
        self._there: dict[str, float] = {}
        self.halted: dict[str, str] = {}
        self._halted_at: dict[str, float] = {}
        self._emptied: dict[tuple[str, int | str], str] = {}
        self._ended: dict[str, float] = {}
        self._nodes: dict[str, tuple[tuple[str, str, str, str], tuple[str, float]]] = {}
        self._deciding = ""
        self._said: set[tuple[str, str]] = set()
        self._kept: dict[str, tuple[bool, int | None]] = {}

    def rules(self) -> str:
        return "".join(one.text for one in self.here)

    def open(self) -> None:
        """Its services begin."""
        swarm = self._world.swarm
        for image in ("leaky:1", "leaky:2", "leaky:3"):
            swarm.behaviours[image] = Behaviour(stop=SLOW_STOP, stop_code=143)
        for one in self.here:
            swarm.create_service(one.service, update=QUICK, restart=DELAY, **one.parts)
        if self._all_ends:
            self._watch_nodes()
        if self.here:
            self._reading = swarm.load.reading
            swarm.load.reading = self._read  # type: ignore[method-assign]

    def _watch_nodes(self) -> None:
        """Writes of agents to nodes as they arrive; people set nodes in another way."""
        swarm, update = self._world.swarm, self._world.swarm.update_node
        for node in swarm.store.nodes.values():
            self.node_changed(node)

        def recorded(node_id: str, version: int, spec: Mapping[str, Any]) -> None:
            node, error = swarm.node(node_id), ""
            before = {"Availability": str(node.availability), "Labels": dict(node.labels)}
            before |= {"Role": node.role}
            was = node.version
            changed = tuple(
                sorted(
                    key
                    for key in {*before, *spec}
                    if (spec.get(key) or {}) != (before.get(key) or {})
                )
            )
            self._deciding = deciding() or ""
            try:
                update(node_id, version, spec)
            except Exception as refused:
                error = str(refused) or type(refused).__name__
                raise
            finally:
                now = self._world.now()
                told = NodeWritten(now, self._deciding, node_id, version, was, changed, error)
                self._world.note(told)
                self._deciding = ""

        swarm.update_node = recorded  # type: ignore[method-assign]

    def node_changed(self, node: SimNode) -> None:
        self.look_at_nodes()
        if self._all_ends:
            is_so = (node.name, node.role, str(node.state), str(node.availability))
            was, now = self._nodes.get(node.id), self._world.now()
            if was is not None and was[0] == is_so:
                return
            by = (self._deciding, now)
            if was is not None and was[0][-1] == is_so[-1]:
                by = was[1]
            self._nodes[node.id] = (is_so, by)
            self._world.note(NodeWas(now, node.id, *is_so, *by))

    def _read(self, service_id: str, task_id: str, *rest: Any) -> Reading:
        found = self._reading(service_id, task_id, *rest)
        if self.leaking and self.leaks(task_id):
            self._leaked[task_id] = self._world.now()
            return replace(found, working_set=95 * MIB, memory_usage=95 * MIB)
        return found

    def leaks(self, task_id: str) -> bool:
        task = self._world.swarm.store.tasks.get(task_id)
        if task is None:
            return False
        return task_id in self.leaking or (task.service_name, task.slot) in self.leaking

    def _reason(self, task: SimTask) -> float | None:
        """When there was last a reason to stop it."""
        if task.service_name in MOVED:
            self.look_at_nodes()
            return self._skewed.get(task.service_name)
        return self._world.now() if self.leaks(task.id) else self._leaked.get(task.id)

    def look_at_nodes(self) -> None:
        """Notes of which services a task could be moved to even them out."""
        world = self._world
        for node in world.swarm.store.nodes.values():
            ready = node.state is NodeState.READY and node.availability is Availability.ACTIVE
            if node.role == "worker" and ready:
                self._there[node.id] = math.inf
            elif self._there.get(node.id) == math.inf:
                self._there[node.id] = world.now()
        nodes = [one for one, at in self._there.items() if world.now() - at <= KNOWN_LATE]
        for one in self.here:
            if one.service not in MOVED:
                continue
            live = Counter(
                task.node_id
                for task in world.swarm.tasks(one.service)
                if task.desired <= TaskState.RUNNING and not task.state.ended
            )
            counts = [live[node_id] for node_id in nodes]
            if max(counts, default=0) - min(counts, default=0) > 1:
                self._skewed[one.service] = world.now()

    # What happens to its tasks

    def task_changed(self, task: SimTask, old: object) -> None:
        if task.service_name not in self.services and not self._all_ends:
            return
        was = old.state if isinstance(old, SimTask) else None
        if task.service_name in MOVED:
            self.look_at_nodes()
        if task.state is was:
            return
        if task.state is TaskState.RUNNING:
            if self._emptied.get((task.service_id, task.place)) not in (None, task.id):
                del self._emptied[task.service_id, task.place]
            self.ails(task)
        elif task.state.ended and task.id not in self._ended:
            world, now = self._world, self._world.now()
            self._ended[task.id] = now
            code, oom = task.exit_code, task.oom_killed
            world.note(Ended(now, task.service_name, task.id, task.node_id, code, oom))

    def ails(self, task: SimTask) -> None:
        """Ends in time, if its service is ill by then."""
        ill = self.ill.get(task.service_name)
        if ill is None or ill.node not in ("", task.node_id):
            return
        loop = asyncio.get_running_loop()
        loop.call_later(ill.after, self._end, task.id, ill, context=self._world.world.copy())

    def _end(self, task_id: str, ill: Ill) -> None:
        task = self._world.swarm.store.tasks.get(task_id)
        if task is None or self._world.closing or self.ill.get(task.service_name) is not ill:
            return
        if task.state is TaskState.RUNNING and not self._world.swarm.store.node_down(task):
            self._world.swarm.end_task(task_id, ill.exit_code, oom=ill.oom)

    def fall_ill(self, service: str, ill: Ill) -> None:
        self.ill[service] = ill
        for task in self._world.swarm.running(service):
            self.ails(task)

    # What agents do to them

    def stops(self, process: "FleetProcess", container_id: str) -> SimTask | None:
        """An agent tells its engine to stop a container; puts on record what is so then."""
        world, store = self._world, self._world.swarm.store
        tasks = store.tasks_on[process.node_id].values()
        task = next((one for one in tasks if one.container_id == container_id), None)
        if task is None or task.service_id not in store.services:
            return None
        service = store.services[task.service_id]
        live = [
            one
            for one in store.tasks_of[service.id].values()
            if one.desired <= TaskState.RUNNING and not one.state.ended
        ]
        moved = {one.id for one in store.services.values() if one.name in MOVED}
        elsewhere = sum(self._empty(one) for one in sorted(moved - {service.id}))
        reason, now = self._reason(task), world.now()
        labels = world.swarm.catalogue.container(task, Health.NONE).labels
        world.note(
            Stopped(
                now,
                process.name,
                process.node_id,
                container_id,
                tuple(
                    labels.get(f"com.docker.swarm.{one}.id", "")
                    for one in ("task", "service", "node")
                ),
                service.name,
                service.version,
                service.update_state,
                any(one.spec != service.spec["TaskTemplate"] for one in live),
                self._empty(service.id),
                elsewhere if service.id in moved else 0,
                None if reason is None else now - reason,
            )
        )
        return task

    def _empty(self, service_id: str) -> int:
        """Places of the service that agents emptied and that still wait for what is to run."""
        waiting = {
            one.place
            for one in self._world.swarm.store.tasks_of[service_id].values()
            if one.desired <= TaskState.RUNNING and not one.state.ended
        }
        return sum(key[0] == service_id and key[1] in waiting for key in self._emptied)

    def was_stopped(self, task: SimTask) -> None:
        """The engine has answered. What had ended by then by itself was not our doing."""
        now = self._world.now()
        if self._ended.get(task.id) == now:
            self._world.note(Halted(now, task.service_name, task.id))
            self.halted[task.id] = task.service_name
            self._halted_at[task.id] = now
            self._emptied[task.service_id, task.place] = task.id

    # What agents make of it

    def look_into(self, process: "FleetProcess") -> None:
        """Notes what it counts for a failure and is none, and what it has stored of its rules.

        Rules count an end once its cause is settled.
        """
        ends, now = process.core.ends, self._world.now()
        for name in sorted(set(self.halted.values())):
            for end in ends.of(name):
                key = (process.name, end.task_id)
                settled = now - self._halted_at.get(end.task_id, now) >= SETTLED
                if settled and end.cause in FAILURES and key not in self._said:
                    self._said.add(key)
                    self._world.note(Blamed(now, process.name, end.task_id, str(end.cause)))
        if self.here and process.acts and not self._all_ends:
            self._look_at_rules(process)

    def _look_at_rules(self, process: "FleetProcess") -> None:
        survival, book = process.core.survival, process.core.controller.book
        if survival is None or survival._saved_changes != survival._remembering.changes:
            return
        ids = {one.name: one.id for one in self._world.swarm.store.services.values()}
        for one in self.here:
            course = book.history(ids[one.service], one.rule).course
            kept = (course.breaker.open_since is not None, course.parked)
            if self._kept.get(one.rule) != kept:
                self._kept[one.rule] = kept
                now = self._world.now()
                self._world.note(Kept(now, process.name, one.service, one.rule, *kept))

    def unpark(self, service: str) -> None:
        for process in self._world.actors():
            process.host.start(self._unpark(process, service))  # type: ignore[arg-type]

    async def _unpark(self, process: "FleetProcess", service: str) -> None:
        world, core = self._world, process.core
        desk = OperatorDesk(
            controller=core.controller,
            mirror=core.mirror,
            actorship=core.actorship,
            clock=process._clock,
            by_hand=core.by_hand,
        )
        try:
            said = await desk.unpark(service, by="ann")
        except Refused as refused:
            said = f"refused: {refused}"
        world.note(Unparked(world.now(), process.name, service, said))

    # The end

    def give_back(self) -> None:
        """People take back what they themselves have set to anything else."""
        for node in self._world.swarm.store.nodes.values():
            if self._all_ends and node.availability is Availability.PAUSE:
                self._world.swarm.activate(node.id)

    def repair(self) -> None:
        """Nothing ails any more, and what was parked or put to sleep is wanted again."""
        self.ill.clear()
        self.leaking.clear()
        swarm = self._world.swarm
        if self._past_is_lost():
            for node_id in self._world.ids.values():
                swarm.activate(node_id)
        for name in self.services:
            if not self._world.replicas(name):
                swarm.scale(name, 2)
            swarm.deploy(name, f"{name}:9")

    def _past_is_lost(self) -> bool:
        """Whether agents may rightly not know any more what they drained, or until when."""
        entries = self._world.history.entries
        return any(
            isinstance(one, Removed) or (isinstance(one, TookOver) and one.clocks)
            for one in entries
        )

    def amiss(self) -> str:
        for node in self._world.swarm.store.nodes.values():
            if self._all_ends and node.availability is not Availability.ACTIVE:
                return f"{node.name} is still set to {node.availability}"
        for name in self.services:
            replicas, running = self._world.replicas(name), len(self._world.swarm.running(name))
            if running != replicas:
                return f"{running} of the {replicas} replicas of {name} run"
        return ""
