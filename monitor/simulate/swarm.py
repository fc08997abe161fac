"""A whole Swarm in memory: what people, deploys and failures do to it.

Everything happens on the running loop's timers; on a VirtualTimeLoop equal seeds give equal
runs. Build it inside the loop, talk to it through `engine(node_id)` as an agent does, and
through the methods here as everybody else does.
"""

import asyncio
import copy
from collections.abc import Callable, Mapping
from typing import Any

from monitor.model.container import Health
from monitor.model.event import Event
from monitor.model.node import Availability, NodeState
from monitor.model.task import TaskState
from monitor.ports.clock import Clock
from monitor.ports.errors import BadRequest, Conflict, NotFound
from monitor.simulate.announce import swarm_event
from monitor.simulate.bus import EventBus
from monitor.simulate.catalogue import Catalogue
from monitor.simulate.clock import VirtualClock
from monitor.simulate.engine import SimulatedEngine
from monitor.simulate.executor import Behaviour
from monitor.simulate.load import Demand, Load, Memory
from monitor.simulate.machinery import Machinery
from monitor.simulate.rawjson import rfc3339
from monitor.simulate.serving import Requests, Served
from monitor.simulate.spec import mode_of, resources_of, service_spec
from monitor.simulate.state import SimConfig, SimNode, SimService, SimTask, Spec
from monitor.simulate.store import Change, Store

GIB = 1024**3


class Swarm:
    """`behaviours` by image; `has_leader` False makes managers answer as without quorum.

    reaction: seconds until swarmkit's parts look at a change.
    """

    def __init__(
        self, clock: Clock | None = None, *, seed: int = 0, reaction: float = 0.05
    ) -> None:
        self.clock = clock or VirtualClock(seed=seed)
        self.store = Store(self.clock, seed)
        self.behaviours: dict[str, Behaviour] = {}
        self.logs: dict[str, list[str]] = {}  # by task id; what containers write, where it matters
        self.health: dict[str, Health] = {}  # by task id; of containers with a health check
        self.catalogue = Catalogue()
        self.load = Load()
        self.has_leader = True
        self._seed = seed
        self._engines: dict[str, SimulatedEngine] = {}
        self.machinery = Machinery(self.store, self.publish, self.behaviours, self.health, reaction)
        self.store.watch(self._on_change)

    def close(self) -> None:
        self.machinery.close()

    def mono(self) -> float:
        return self.clock.now().mono

    # Nodes

    def add_node(
        self,
        name: str,
        role: str = "worker",
        *,
        cpu_cores: float = 4.0,
        memory_bytes: int = 8 * GIB,
        labels: Mapping[str, str] | None = None,
    ) -> str:
        """A node that is ready; the first manager leads. Returns its id."""
        leads = role == "manager" and not any(node.leader for node in self.store.nodes.values())
        node = SimNode(
            id=self.store.new_id(),
            name=name,
            role=role,
            cpu_cores=cpu_cores,
            memory_bytes=memory_bytes,
            labels=dict(labels or {}),
            leader=leads,
        )
        bus = EventBus(self._seed + len(self._engines))
        self._engines[node.id] = SimulatedEngine(self, node.id, bus)
        self.store.create(node)
        return node.id

    def engine(self, node_id: str) -> SimulatedEngine:
        return self._engines[node_id]

    def node(self, node_id: str) -> SimNode:
        return self.store.nodes[node_id]

    def set_node(self, node_id: str, **changes: Any) -> None:
        """Change `state`, `availability`, `role`, `labels`, `leader`... of a node, with events."""
        for name, kind in (("state", NodeState), ("availability", Availability)):
            if name in changes:
                changes[name] = kind(changes[name])
        self.store.update(self.node(node_id), **changes)

    def update_node(self, node_id: str, version: int, spec: Mapping[str, Any]) -> None:
        """What `POST /nodes/{id}/update` does; raises NotFound, Conflict, BadRequest. Roles are
        changed elsewhere."""
        node = self.store.nodes.get(node_id)
        if node is None:
            raise NotFound(f"node {node_id} not found")
        if spec.get("Availability") not in set(Availability):
            raise BadRequest(f'invalid Availability: "{spec.get("Availability", "")}"')
        if version != node.version:
            raise Conflict("rpc error: code = Unknown desc = update out of sequence")
        labels = {str(key): str(value) for key, value in (spec.get("Labels") or {}).items()}
        self.set_node(node_id, availability=spec["Availability"], labels=labels)

    def drain(self, node_id: str) -> None:
        self.set_node(node_id, availability=Availability.DRAIN)

    def activate(self, node_id: str) -> None:
        self.set_node(node_id, availability=Availability.ACTIVE)

    def node_down(self, node_id: str) -> None:
        """Managers gave the node up, out of touch as it is; its containers may well run on."""
        self.set_node(node_id, state=NodeState.DOWN)

    def crash_node(self, node_id: str) -> None:
        """The machine fails and managers have given it up: its containers end with it."""
        self.machinery.executor.crash(node_id)
        self.node_down(node_id)

    def node_ready(self, node_id: str) -> None:
        self.set_node(node_id, state=NodeState.READY)

    def election(self, leader_id: str) -> None:
        """A new leader: every node that is not down is `unknown` until `node_ready`."""
        for node in self.store.nodes.values():
            if node.leader and node.id != leader_id:
                self.store.update(node, leader=False)
        self.set_node(leader_id, leader=True)
        for node in self.store.nodes.values():
            if node.state is not NodeState.DOWN:
                self.store.update(node, state=NodeState.UNKNOWN)

    def remove_node(self, node_id: str) -> None:
        self.store.remove(self.node(node_id))

    # Services

    def create_service(self, name: str, **parts: Any) -> str:
        """A service of `spec.service_spec(name, **parts)`; returns its id."""
        return self.create_raw(service_spec(name, **parts))

    def create_raw(self, spec: Mapping[str, Any]) -> str:
        if any(service.name == spec["Name"] for service in self.store.services.values()):
            raise Conflict(f"a service named {spec['Name']} exists")
        service = SimService(id=self.store.new_id(), spec=copy.deepcopy(dict(spec)))
        if mode_of(service.spec).endswith("Job"):
            service.job_iteration, service.job_execution_ns = 0, self.store.stamp()
        return self.store.create(service).id

    def service(self, name_or_id: str) -> SimService:
        """Raises NotFound."""
        found = self.store.services.get(name_or_id)
        if found is None:
            named = [one for one in self.store.services.values() if one.name == name_or_id]
            if not named:
                raise NotFound(f"service {name_or_id} not found")
            found = named[0]
        return found

    def update_service(self, service_id: str, version: int, spec: Mapping[str, Any]) -> None:
        """What `POST /services/{id}/update` does; raises NotFound, Conflict, BadRequest.

        Any accepted update makes the present spec the rollback target and resets UpdateStatus;
        `updating` is set by the updater, in a later transaction.
        """
        service = self.service(service_id)
        if version != service.version:
            raise Conflict("rpc error: code = Unknown desc = update out of sequence")
        if spec.get("Name") != service.name:
            raise BadRequest("renaming services is not supported")
        if mode_of(dict(spec)) != mode_of(service.spec):
            raise BadRequest("service mode change is not allowed")
        changes: dict[str, Any] = {
            "previous_spec": service.spec,
            "previous_spec_version": service.spec_version,
            "spec": copy.deepcopy(dict(spec)),
            "spec_version": service.version,
            "update_status": None,
        }
        if service.job_iteration is not None:
            changes["job_iteration"] = service.job_iteration + 1
            changes["job_execution_ns"] = self.store.stamp()
        self.store.update(service, **changes)

    def roll_back(self, service_id: str, version: int) -> None:
        """What an update with `rollback=previous` does; raises NotFound, Conflict, BadRequest.

        The two specs change places, so that a second one undoes the first.
        """
        service = self.service(service_id)
        if service.previous_spec is None:
            raise BadRequest(
                "rpc error: code = FailedPrecondition desc = service "
                f"{service.id} does not have a previous spec"
            )
        if version != service.version:
            raise Conflict("rpc error: code = Unknown desc = update out of sequence")
        self.store.update(
            service,
            spec=service.previous_spec,
            spec_version=service.previous_spec_version,
            previous_spec=service.spec,
            previous_spec_version=service.spec_version,
            update_status={
                "State": "rollback_started",
                "StartedAt": rfc3339(self.store.stamp()),
                "Message": "manually requested rollback",
            },
        )

    def change(self, name_or_id: str, edit: Callable[[Spec], None]) -> None:
        """What a person does: take the newest spec, `edit` it, write it back."""
        service = self.service(name_or_id)
        spec = copy.deepcopy(service.spec)
        edit(spec)
        self.update_service(service.id, service.version, spec)

    def scale(self, name_or_id: str, replicas: int) -> None:
        self.change(name_or_id, lambda spec: spec["Mode"]["Replicated"].update(Replicas=replicas))

    def deploy(self, name_or_id: str, image: str) -> None:
        self.change(
            name_or_id,
            lambda spec: spec["TaskTemplate"]["ContainerSpec"].update(Image=image),
        )

    def remove_service(self, name_or_id: str) -> None:
        self.store.remove(self.service(name_or_id))

    # Configs

    def create_config(self, name: str, labels: Mapping[str, str], data: bytes) -> str:
        """What `POST /configs/create` does; raises Conflict. Returns its id."""
        if any(config.name == name for config in self.store.configs.values()):
            raise Conflict(f"rpc error: code = AlreadyExists desc = config {name} already exists")
        config = SimConfig(id=self.store.new_id(), name=name, data=data, labels=dict(labels))
        return self.store.create(config).id

    def config(self, name: str) -> SimConfig:
        """Raises NotFound."""
        for config in self.store.configs.values():
            if config.name == name:
                return config
        raise NotFound(f"no config has the name {name}")

    def label_config(self, config_id: str, version: int, labels: Mapping[str, str]) -> None:
        """What `POST /configs/{id}/update` does; raises NotFound, Conflict."""
        config = self.store.configs.get(config_id)
        if config is None:
            raise NotFound(f"config {config_id} not found")
        if version != config.version:
            raise Conflict("rpc error: code = Unknown desc = update out of sequence")
        self.store.update(config, labels=dict(labels))

    def remove_config(self, name: str) -> None:
        self.store.remove(self.config(name))

    # Tasks and what they use

    def tasks(self, name_or_id: str) -> list[SimTask]:
        return list(self.store.tasks_of[self.service(name_or_id).id].values())

    def running(self, name_or_id: str) -> list[SimTask]:
        """Tasks that run and shall, on nodes that are not down."""
        return [
            task
            for task in self.tasks(name_or_id)
            if task.state is TaskState.RUNNING
            and task.desired is TaskState.RUNNING
            and not self.store.node_down(task)
        ]

    def end_task(self, task_id: str, exit_code: int = 137, *, oom: bool = False) -> None:
        """The task's container ends by itself or out of memory."""
        task = self.store.tasks[task_id]
        self.machinery.executor.end(task, _end_of(exit_code), exit_code, oom=oom)

    async def stop_container(self, task_id: str, grace: int | None = None) -> None:
        """What `docker stop` does: SIGTERM, and SIGKILL after `grace` seconds (None: 10).

        Returns once the container has ended, in which `Behaviour.stop` says how quick it is; what
        ended before is left as it is.
        """
        task, executor = self.store.tasks[task_id], self.machinery.executor
        behaviour, left = executor.behaviour(task), float(10 if grace is None else grace)
        await asyncio.sleep(min(behaviour.stop, left))
        code = behaviour.stop_code if behaviour.stop <= left else 137
        executor.end(task, _end_of(code), code, signal="15", stopped=True)

    def kill_container(self, task_id: str, *, removed: bool = False) -> None:
        """What `docker kill` does to it, or where `removed` `docker rm --force`."""
        task = self.store.tasks[task_id]
        self.machinery.executor.end(task, TaskState.FAILED, 137, signal="9", removed=removed)

    def remove_container(self, task_id: str) -> None:
        """What `docker rm` does to the container of a task that has ended."""
        self.machinery.executor.remove_container(self.store.tasks[task_id])

    def set_health(self, task_id: str, health: Health) -> None:
        """What its health check finds; managers, who would stop it, do not hear of it."""
        self.machinery.executor.set_health(self.store.tasks[task_id], health)

    def set_load(self, name_or_id: str, cores: Demand) -> None:
        """CPU demand of the whole service in cores, or a function of the seconds from now."""
        self.load.set_demand(self.service(name_or_id).id, cores, self.mono())

    def set_requests(self, name_or_id: str, requests: Requests) -> None:
        """Requests come from now on; they take the place of `set_load`."""
        self.load.set_requests(self.service(name_or_id).id, requests, self.mono())

    def served(self, name_or_id: str) -> Served | None:
        """How the service's requests fare now; None where it has none."""
        return self.load.served(self.service(name_or_id).id, self.mono())

    def set_memory(self, name_or_id: str, memory: Memory) -> None:
        """Bytes of each task, or a function of the seconds since it began to run."""
        self.load.set_memory(self.service(name_or_id).id, memory)

    async def converged(self, name_or_id: str, within: float = 120.0) -> None:
        """Wait until all replicas run, nothing else does and no update is in flight."""
        async with asyncio.timeout(within):
            while not self._converged(self.service(name_or_id)):  # noqa: ASYNC110  (virtual time)
                await asyncio.sleep(0.05)

    def _converged(self, service: SimService) -> bool:
        if service.update_state in ("updating", "rollback_started"):
            return False
        live = [task for task in self.tasks(service.id) if not task.state.ended]
        running = self.running(service.id)
        if any(task.spec != service.spec["TaskTemplate"] for task in running):
            return False
        wanted = (service.spec["Mode"].get("Replicated") or {}).get("Replicas")
        up = [task for task in live if not self.store.node_down(task)]
        return len(running) == len(up) and wanted in (None, len(running))

    def publish(self, node_id: str, event: Event) -> None:
        """An event of one node's engine."""
        if node_id in self._engines:
            self._engines[node_id].bus.publish(event)

    def _on_change(self, change: Change) -> None:
        what = change.new
        if change.action == "remove":
            self.catalogue.forget(what)
        if isinstance(what, SimTask):
            self._account(change.action, what)
            return
        event = swarm_event(change, self.store.stamp() if change.action == "remove" else 0)
        if event is not None:
            for node in list(self.store.nodes.values()):
                if node.role == "manager":
                    self.publish(node.id, event)
        if isinstance(what, SimNode):
            for task in self.store.tasks_on[what.id].values():
                self._account("update", task)

    def _account(self, action: str, task: SimTask) -> None:
        if action == "remove":
            self.load.forget(task.service_id, task.id, self.mono())
        elif task.state is TaskState.RUNNING and not self.store.node_down(task):
            limit, _ = resources_of(task.spec, "Limits")
            self.load.start(task.service_id, task.id, limit, self.mono())
        elif task.state.ended or self.store.node_down(task):
            self.load.stop(task.service_id, task.id, self.mono())


def _end_of(exit_code: int) -> TaskState:
    return TaskState.COMPLETE if exit_code == 0 else TaskState.FAILED
