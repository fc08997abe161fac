"""What is seen in one moment: the engine's tasks, and what the agent makes of them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from scripts.demo_real.agent import Agent
from scripts.demo_real.errors import DemoError
from tests.real.lab import ApiError, Swarm

_CPU = "swarm_task_cpu_usage_seconds_total"
_AT = "swarm_task_last_sample_timestamp_seconds"
_RATE_OVER = 3.0
_PATIENCE = 15.0

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TaskSeen:
    """A running task; `cpu` in cores over the last seconds, None while too fresh to say."""

    slot: int
    cpu: float | None


@dataclass(frozen=True, slots=True)
class Seen:
    """at: monotonic seconds. running: as the engine says. desired: as the agent sees it.

    new: decisions that the agent made since the last look, oldest first.
    """

    at: float
    running: int
    desired: int
    tasks: tuple[TaskSeen, ...]
    new: tuple[Json, ...]

    @property
    def cpu(self) -> float:
        """Cores that the tasks use together."""
        return sum(task.cpu or 0.0 for task in self.tasks)


class Observer:
    """Looks at one service through engine and agent; puts up with a few failed looks."""

    def __init__(self, swarm: Swarm, agent: Agent, service: str) -> None:
        self._swarm = swarm
        self._agent = agent
        self._service = service
        self._counters: dict[str, deque[tuple[float, float]]] = {}
        self._shown: set[str] = set()
        self._last = Seen(time.monotonic(), 0, 0, (), ())

    def count_running(self) -> int:
        """Tasks that run, as the engine says; raises OSError, ApiError."""
        return len(self._swarm.running(self._service))

    def look(self) -> Seen:
        """The present state; the last one again where engine or agent gave no answer.

        Raises DemoError where the agent has ended, or nothing was seen for 15 seconds.
        """
        self._agent.check_alive()
        try:
            self._last = self._look()
        except (OSError, ApiError, ValueError) as error:
            if time.monotonic() - self._last.at > _PATIENCE:
                raise DemoError(f"engine or agent did not answer for 15 s: {error}") from error
            return Seen(self._last.at, self._last.running, self._last.desired, self._last.tasks, ())
        return self._last

    def _look(self) -> Seen:
        tasks = {task["ID"]: int(task["Slot"]) for task in self._swarm.running(self._service)}
        service = self._agent.service(self._service)
        decisions = self._agent.decisions(self._service) if service else []
        self._count(tasks)
        new = tuple(entry for entry in decisions if entry["id"] not in self._shown)
        self._shown.update(entry["id"] for entry in new)
        seen = [TaskSeen(slot, self._rate(task_id)) for task_id, slot in tasks.items()]
        return Seen(
            time.monotonic(),
            len(tasks),
            service["desired"] if service else 0,
            tuple(sorted(seen, key=lambda task: task.slot)),
            new,
        )

    def _count(self, tasks: Iterable[str]) -> None:
        used, at = self._agent.task_samples(self._service, _CPU, _AT)
        for task_id in self._counters.keys() - set(tasks):
            del self._counters[task_id]
        for task_id in set(tasks) & used.keys() & at.keys():
            points = self._counters.setdefault(task_id, deque())
            if not points or points[-1][0] < at[task_id]:
                points.append((at[task_id], used[task_id]))
            while len(points) > 2 and points[-1][0] - points[1][0] >= _RATE_OVER:
                points.popleft()

    def _rate(self, task_id: str) -> float | None:
        points = self._counters.get(task_id)
        if points is None or len(points) < 2:
            return None
        (first_at, first), (last_at, last) = points[0], points[-1]
        return (last - first) / (last_at - first_at)
