"""Replacing tasks that ended: restart condition, delay, attempts, and the history they leave."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine

from monitor.model.node import Availability
from monitor.model.task import TaskState
from monitor.simulate.spec import RestartPolicy
from monitor.simulate.state import SimService, SimTask
from monitor.simulate.store import Store

HISTORY = 5  # swarmkit keeps so many tasks of a slot, the live one included
OLD_TASK_TIMEOUT = 60.0

Spawn = Callable[[Coroutine[object, object, None]], "asyncio.Task[None]"]


def new_task(store: Store, service: SimService, place: int | str, desired: TaskState) -> SimTask:
    """A task of the service's present spec in a slot, or bound to a node."""
    container = service.spec["TaskTemplate"]["ContainerSpec"]
    return store.create(
        SimTask(
            id=store.new_id(),
            service_id=service.id,
            service_name=service.name,
            slot=place if isinstance(place, int) else 0,
            node_id=place if isinstance(place, str) else "",
            spec=service.spec["TaskTemplate"],
            endpoint_spec=service.spec.get("EndpointSpec"),
            spec_version=service.spec_version,
            labels=dict(container.get("Labels") or {}),
            desired=desired,
            job_iteration=service.job_iteration,
        )
    )


class Restarter:
    """swarmkit's restart supervisor."""

    def __init__(self, store: Store, spawn: Spawn) -> None:
        self._store = store
        self._spawn = spawn
        self._attempts: dict[tuple[str, int | str], list[tuple[int, float]]] = defaultdict(list)
        self._delayed: dict[str, asyncio.Task[None]] = {}
        self._ended_early: set[str] = set()  # while their start was being delayed

    def restart(self, service: SimService, task: SimTask) -> None:
        """Shut the task down and, where its policy says so, put a replacement in its place.

        A task that ends while its start is delayed (its image is missing) is dealt with after that
        delay: one that never starts fails once per delay, not as fast as it can be replaced.
        """
        if task.id in self._delayed:
            if task.id not in self._ended_early:
                self._ended_early.add(task.id)
                self._spawn(self._restart_after_delay(task))
            return
        if task.desired > TaskState.RUNNING:
            return
        self._store.update(task, desired=TaskState.SHUTDOWN)
        if not self.should_restart(service, task):
            return
        policy = RestartPolicy.of(task.spec)
        replacement = new_task(self._store, service, task.place, TaskState.READY)
        key = (service.id, task.place)
        now = asyncio.get_running_loop().time()
        self._attempts[key].append((service.spec_version, now))
        node = self._store.nodes.get(task.node_id)
        drained = node is not None and node.availability is Availability.DRAIN
        wait = not (task.state.ended or self._store.node_down(task))
        self.delay_start(task, replacement, 0.0 if drained else policy.delay, wait=wait)

    async def _restart_after_delay(self, task: SimTask) -> None:
        await self.started(task)
        self._ended_early.discard(task.id)
        service = self._store.services.get(task.service_id)
        if service is not None and task.id in self._store.tasks:
            self.restart(service, task)

    def should_restart(self, service: SimService, task: SimTask) -> bool:
        policy = RestartPolicy.of(task.spec)
        if policy.condition == "none":
            return False
        if policy.condition == "on-failure" and task.state is TaskState.COMPLETE:
            return False
        if not policy.max_attempts:
            return True
        since = asyncio.get_running_loop().time() - policy.window if policy.window else 0.0
        attempts = [
            at
            for version, at in self._attempts[service.id, task.place]
            if version == task.spec_version and at >= since
        ]
        return len(attempts) < policy.max_attempts

    def delay_start(self, old: SimTask | None, new: SimTask, delay: float, *, wait: bool) -> None:
        """Let `new` run after `delay` seconds and, if `wait`, once `old` stopped."""
        pending = self._spawn(self._start_later(old if wait else None, new, delay))
        self._delayed[new.id] = pending
        pending.add_done_callback(lambda _: self._delayed.pop(new.id, None))

    async def started(self, task: SimTask) -> None:
        """Return once the task was told to run, or will not be any more."""
        pending = self._delayed.get(task.id)
        if pending is not None:
            await asyncio.wait([pending])

    async def _start_later(self, old: SimTask | None, new: SimTask, delay: float) -> None:
        if delay:
            await asyncio.sleep(delay)
        if old is not None:
            try:
                async with asyncio.timeout(OLD_TASK_TIMEOUT):
                    await self._store.task_until(
                        old, lambda task: task.state.ended or self._store.node_down(task)
                    )
            except TimeoutError:
                pass
        if new.id in self._store.tasks and new.desired < TaskState.RUNNING:
            self._store.update(new, desired=TaskState.RUNNING)


def reap(store: Store, service_id: str) -> None:
    """Forget removed tasks that ended, and what is older than the slot's history allows."""
    slots: dict[int | str, list[SimTask]] = defaultdict(list)
    for task in list(store.tasks_of[service_id].values()):
        gone = task.state.ended or task.state < TaskState.ASSIGNED
        if task.desired is TaskState.REMOVE and gone:
            store.remove(task)
        else:
            slots[task.place].append(task)
    for tasks in slots.values():
        surplus = len(tasks) - HISTORY
        dead = [task for task in tasks if task.desired > TaskState.RUNNING and task.state.ended]
        for task in sorted(dead, key=lambda task: task.created_ns)[: max(0, surplus)]:
            store.remove(task)
