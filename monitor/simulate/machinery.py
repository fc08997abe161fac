"""What keeps a simulated Swarm moving: each change makes some part of swarmkit look again."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from monitor.model.container import Health
from monitor.model.task import TaskState
from monitor.simulate.executor import Behaviour, Executor, Publish
from monitor.simulate.orchestrator import Orchestrator
from monitor.simulate.rawjson import rfc3339
from monitor.simulate.restart import Restarter, reap
from monitor.simulate.scheduler import schedule
from monitor.simulate.spec import mode_of
from monitor.simulate.state import SimConfig, SimNode, SimService, SimTask
from monitor.simulate.store import Change, Store
from monitor.simulate.updater import Updaters


class Machinery:
    """Orchestrator, scheduler, reaper and engines over one store.

    reaction: seconds from a change until they look. It is why `updating` comes in a later
    transaction than the change of the spec.
    """

    def __init__(
        self,
        store: Store,
        publish: Publish,
        behaviours: dict[str, Behaviour],
        health: dict[str, Health],
        reaction: float,
    ) -> None:
        self._store = store
        self._reaction = reaction
        self._tasks: set[asyncio.Task[None]] = set()
        self._tick: asyncio.TimerHandle | None = None
        self._pending: dict[str, SimTask] = {}
        self._reconcile: dict[str, None] = {}  # a dict, not a set: order must not vary
        self._look: dict[str, None] = {}
        self._removed: dict[str, None] = {}
        restarter = Restarter(store, self.spawn)
        updaters = Updaters(store, restarter, self.spawn, rfc3339)
        self.executor = Executor(store, publish, behaviours, health)
        self.orchestrator = Orchestrator(store, restarter, updaters)
        store.watch(self._on_change)

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            task.get_loop().call_exception_handler(
                {"message": "the simulated Swarm failed", "exception": error}
            )

    def close(self) -> None:
        """End all that was begun; the Swarm stands still from now on."""
        if self._tick is not None:
            self._tick.cancel()
        for task in list(self._tasks):
            task.cancel()
        for sim_task in self._store.tasks.values():
            self.executor.forget(sim_task)

    def _on_change(self, change: Change) -> None:
        match change.new:
            case SimService():
                where = self._removed if change.action == "remove" else self._reconcile
                where[change.new.id] = None
            case SimTask():
                self._on_task(change.action, change.new)
            case SimNode():
                self._on_node(change.new)
            case SimConfig():
                return
        if self._tick is None:
            loop = asyncio.get_running_loop()
            self._tick = loop.call_later(self._reaction, self._work)

    def _on_task(self, action: str, task: SimTask) -> None:
        self._look[task.service_id] = None
        if action == "remove":
            self.executor.removed(task)
            self._pending.pop(task.id, None)
            return
        if task.state is TaskState.PENDING and task.desired <= TaskState.COMPLETE:
            self._pending[task.id] = task
        else:
            self._pending.pop(task.id, None)
        self.executor.consider(task)

    def _on_node(self, node: SimNode) -> None:
        for task in self._store.tasks_on[node.id].values():
            self._look[task.service_id] = None
            self.executor.consider(task)
        for service in self._store.services.values():
            if mode_of(service.spec) == "Global":
                self._reconcile[service.id] = None

    def _work(self) -> None:
        self._tick = None
        removed, self._removed = self._removed, {}
        reconcile, self._reconcile = self._reconcile, {}
        look, self._look = self._look, {}
        for service_id in removed:
            self.orchestrator.remove(service_id)
        for service_id in look:
            self.orchestrator.replace_lost(service_id)
            service = self._store.services.get(service_id)
            if service is not None and mode_of(service.spec).endswith("Job"):
                reconcile[service_id] = None
        for service_id in reconcile:
            if (service := self._store.services.get(service_id)) is not None:
                self.orchestrator.reconcile(service)
        for service_id in look:
            reap(self._store, service_id)
        pending = list(self._pending.values())
        if pending:
            schedule(self._store, pending)
