"""The simulated Swarm's store: one version counter, every change told to whoever watches."""

import asyncio
import copy
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from monitor.model.task import TaskState
from monitor.ports.clock import Clock
from monitor.simulate.state import SimConfig, SimNode, SimObject, SimService, SimTask

_ID_SIGNS = "0123456789abcdefghijklmnopqrstuvwxyz"
O = TypeVar("O", SimNode, SimService, SimTask, SimConfig)  # noqa: E741


@dataclass(frozen=True, slots=True)
class Change:
    """`action` is create, update or remove; `old` is a copy from before an update."""

    action: str
    new: SimObject
    old: SimObject | None = None


class Store:
    """Every change is a transaction of its own: it gets the next version index."""

    def __init__(self, clock: Clock, seed: int = 0) -> None:
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311  (reproducible, not secret)
        self._index = 10
        self._stamp = 0
        self._tasks_created = 0
        self._watchers: list[Callable[[Change], None]] = []
        self._waiting: dict[str, list[asyncio.Future[None]]] = defaultdict(list)
        self.nodes: dict[str, SimNode] = {}
        self.services: dict[str, SimService] = {}
        self.configs: dict[str, SimConfig] = {}
        self.tasks: dict[str, SimTask] = {}
        self.tasks_of: dict[str, dict[str, SimTask]] = defaultdict(dict)
        self.tasks_on: dict[str, dict[str, SimTask]] = defaultdict(dict)

    def new_id(self, length: int = 25, signs: str = _ID_SIGNS) -> str:
        return "".join(self._random.choices(signs, k=length))

    def stamp(self) -> int:
        """Epoch nanoseconds; no two are equal."""
        self._stamp = max(self._stamp + 1, round(self._clock.now().wall * 1e9))
        return self._stamp

    def next_version(self) -> int:
        """The index of a change to what is kept elsewhere."""
        self._index += 1
        return self._index

    def watch(self, watcher: Callable[[Change], None]) -> None:
        """`watcher` is called within every change: it may take note, not change the store."""
        self._watchers.append(watcher)

    def create(self, new: O) -> O:
        self._index += 1
        new.version = self._index
        new.created_ns = new.updated_ns = self.stamp()
        if isinstance(new, SimTask):
            new.since_ns = new.created_ns
            self._tasks_created += 1
            new.number = self._tasks_created
            self.tasks[new.id] = self.tasks_of[new.service_id][new.id] = new
            if new.node_id:
                self.tasks_on[new.node_id][new.id] = new
        elif isinstance(new, SimService):
            self.services[new.id] = new
        elif isinstance(new, SimConfig):
            self.configs[new.id] = new
        else:
            self.nodes[new.id] = new
        self._tell(Change("create", new))
        return new

    def update(self, what: O, **changes: Any) -> O:
        old = copy.copy(what)
        for name, value in changes.items():
            setattr(what, name, value)
        self._index += 1
        what.version = self._index
        what.updated_ns = self.stamp()
        if isinstance(what, SimTask):
            if "state" in changes:
                what.since_ns = what.updated_ns
            if "node_id" in changes:
                self.tasks_on[what.node_id][what.id] = what
        self._tell(Change("update", what, old))
        return what

    def remove(self, what: O) -> None:
        self._index += 1
        if isinstance(what, SimTask):
            self.tasks.pop(what.id, None)
            self.tasks_of[what.service_id].pop(what.id, None)
            self.tasks_on[what.node_id].pop(what.id, None)
        elif isinstance(what, SimService):
            self.services.pop(what.id, None)
        elif isinstance(what, SimConfig):
            self.configs.pop(what.id, None)
        else:
            self.nodes.pop(what.id, None)
        self._tell(Change("remove", what))

    def move_task(self, task: SimTask, state: TaskState, **changes: Any) -> None:
        """Enter a later state; tasks never go back."""
        if task.id in self.tasks and state > task.state:
            self.update(task, state=state, **changes)

    def _tell(self, change: Change) -> None:
        for watcher in self._watchers:
            watcher(change)
        keys = [change.new.id]
        if isinstance(change.new, SimNode):
            keys.extend(self.tasks_on[change.new.id])
        for key in keys:
            for waiting in self._waiting.pop(key, ()):
                if not waiting.done():
                    waiting.set_result(None)

    async def task_until(self, task: SimTask, met: Callable[[SimTask], bool]) -> None:
        """Return once `met`, or once the task is gone; its node's changes are looked at too."""
        while task.id in self.tasks and not met(task):
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting[task.id].append(future)
            await future

    def node_down(self, task: SimTask) -> bool:
        node = self.nodes.get(task.node_id)
        return node is not None and node.state == "down"
