"""Rolling updates as swarmkit does them: parallelism, order, monitoring, failure actions."""

import asyncio
import copy
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from monitor.model.task import TaskState
from monitor.simulate.restart import Restarter, Spawn, new_task
from monitor.simulate.spec import UpdateConfig, task_dirty
from monitor.simulate.state import SimService, SimTask, Spec
from monitor.simulate.store import Change, Store

Slot = Sequence[SimTask]
Rfc3339 = Callable[[int], str]


class Updaters:
    """At most one updater per service; a changed spec cancels the one at work."""

    def __init__(self, store: Store, restarter: Restarter, spawn: Spawn, rfc3339: Rfc3339) -> None:
        self._store = store
        self._restarter = restarter
        self._spawn = spawn
        self._rfc3339 = rfc3339
        self._at_work: dict[str, tuple[Spec, asyncio.Task[None], Updater]] = {}
        store.watch(self._on_change)

    def update(self, service: SimService, slots: Sequence[Slot]) -> None:
        working = self._at_work.get(service.id)
        if working is not None:
            if working[0] == service.spec:
                return
            working[1].cancel()
        updater = Updater(self._store, self._restarter, self._rfc3339, service)
        task = self._spawn(updater.run(slots))
        self._at_work[service.id] = (service.spec, task, updater)
        task.add_done_callback(lambda done: self._finished(service.id, done))

    def _finished(self, service_id: str, done: "asyncio.Task[None]") -> None:
        working = self._at_work.get(service_id)
        if working is not None and working[1] is done:
            del self._at_work[service_id]

    def _on_change(self, change: Change) -> None:
        if isinstance(change.new, SimTask) and change.new.state.ended:
            working = self._at_work.get(change.new.service_id)
            if working is not None:
                working[2].on_ended(change.new)


class Updater:
    """One update towards one spec."""

    def __init__(
        self, store: Store, restarter: Restarter, rfc3339: Rfc3339, service: SimService
    ) -> None:
        self._store = store
        self._restarter = restarter
        self._rfc3339 = rfc3339
        self._service = service
        self._target = copy.copy(service)  # a later change of the spec is a later updater's
        self._state = service.update_state  # as it was when this update began
        self._rolling_back = self._state == "rollback_started"
        spec = service.spec
        self._config = UpdateConfig.of(
            spec.get("RollbackConfig") if self._rolling_back else spec.get("UpdateConfig")
        )
        self._created: dict[str, float | None] = {}  # task id to when it ran
        self._failed: set[str] = set()
        self._total = 0
        self._to_stop: set[str] = set()
        self._stopped = asyncio.Event()

    async def run(self, slots: Sequence[Slot]) -> None:
        if self._state in ("paused", "rollback_paused"):
            return
        dirty = [slot for slot in slots if self._slot_dirty(slot)]
        if not dirty:
            if self._state in ("updating", "rollback_started"):
                self._complete()
            return
        if self._service.update_status is None:
            self._set_status("updating", "update in progress", started=True)
        self._total = len(dirty)
        self._to_stop = {task.id for slot in dirty for task in slot if self._live(task)}
        queue = deque(dirty)
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(self._config.parallelism or len(dirty), len(dirty))):
                workers.create_task(self._work(queue))
        try:
            async with asyncio.timeout(self._config.monitor):
                await self._stopped.wait()
        except TimeoutError:
            self._complete()

    def _dirty(self, task: SimTask) -> bool:
        return task_dirty(self._target, task, self._store.nodes.get(task.node_id))

    def _slot_dirty(self, slot: Slot) -> bool:
        return len(slot) > 1 or any(self._dirty(task) for task in slot)

    async def _work(self, queue: deque[Slot]) -> None:
        while queue and not self._stopped.is_set():
            slot = queue.popleft()
            clean = [
                task for task in slot if not self._dirty(task) and task.desired <= TaskState.RUNNING
            ]
            if clean:
                await self._use_existing(slot, max(clean, key=lambda task: task.desired))
            else:
                await self._replace(slot)
            if self._config.delay:
                await asyncio.sleep(self._config.delay)

    async def _use_existing(self, slot: Slot, task: SimTask) -> None:
        self._shut_down(other for other in slot if other is not task)
        if task.desired is not TaskState.RUNNING:
            self._restarter.delay_start(None, task, 0.0, wait=False)
            await self._restarter.started(task)

    async def _replace(self, slot: Slot) -> None:
        if self._service.id not in self._store.services:
            return
        start_first = self._config.order == "start-first"
        to_stop = [task for task in slot if task.id in self._to_stop]
        if not start_first and to_stop and not any(map(self._live, to_stop)):
            return  # all failed since the update began, and were restarted from what it brings
        new = new_task(self._store, self._target, slot[0].place, TaskState.READY)
        self._created[new.id] = None
        if start_first:
            self._restarter.delay_start(None, new, 0.0, wait=False)
        else:
            old = self._shut_down(slot)
            self._restarter.delay_start(old, new, 0.0, wait=old is not None)
        await self._restarter.started(new)
        await self._store.task_until(new, lambda task: task.state >= TaskState.RUNNING)
        self._created[new.id] = asyncio.get_running_loop().time()
        if start_first and new.state is TaskState.RUNNING:
            self._shut_down(slot)

    def _live(self, task: SimTask) -> bool:
        return task.desired <= TaskState.RUNNING and task.id in self._store.tasks

    def _shut_down(self, slot: Iterable[SimTask]) -> SimTask | None:
        """Tell them to stop; the first that still runs is what a replacement waits for."""
        waited_for = None
        for task in slot:
            if not self._live(task):
                continue
            self._store.update(task, desired=TaskState.SHUTDOWN)
            if waited_for is None and not task.state.ended:
                waited_for = task
        return waited_for

    def on_ended(self, task: SimTask) -> None:
        """A task ended: if this update made it and it did not outlive the monitoring, it counts."""
        if task.id not in self._created or task.id in self._failed or self._stopped.is_set():
            return
        ran_at = self._created[task.id]
        now = asyncio.get_running_loop().time()
        if ran_at is not None and now - ran_at > self._config.monitor:
            return
        self._failed.add(task.id)
        action = self._config.failure_action
        if (
            action == "continue"
            or len(self._failed) / self._total <= self._config.max_failure_ratio
        ):
            return
        self._stopped.set()
        asyncio.get_running_loop().call_soon(self._act_on_failure, task, action)

    def _act_on_failure(self, task: SimTask, action: str) -> None:
        cause = f"due to failure or early termination of task {task.id}"
        if self._service.update_status is None or self._service.id not in self._store.services:
            return  # changed since: this update is no longer the service's
        if self._rolling_back:
            self._set_status("rollback_paused", f"update paused {cause}")
        elif action == "rollback":
            self._roll_back(f"update rolled back {cause}")
        else:
            self._set_status("paused", f"update paused {cause}")

    def _roll_back(self, message: str) -> None:
        service = self._service
        if service.previous_spec is None:
            return
        status = {**(service.update_status or {}), "State": "rollback_started", "Message": message}
        self._store.update(
            service,
            spec=service.previous_spec,
            spec_version=service.previous_spec_version,
            previous_spec=None,
            previous_spec_version=0,
            update_status=status,
        )

    def _complete(self) -> None:
        if self._service.update_status is None or self._service.id not in self._store.services:
            return
        rollback = self._service.update_state == "rollback_started"
        self._set_status(
            "rollback_completed" if rollback else "completed",
            "rollback completed" if rollback else "update completed",
            completed=True,
        )

    def _set_status(
        self, state: str, message: str, *, started: bool = False, completed: bool = False
    ) -> None:
        now = self._rfc3339(self._store.stamp())
        status = {} if started else dict(self._service.update_status or {})
        status |= {"State": state, "Message": message}
        if started:
            status["StartedAt"] = now
        if completed:
            status["CompletedAt"] = now
        self._store.update(self._service, update_status=status)
