"""What the agent of another node said of its tasks."""

from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from monitor.model.peer import TaskReading, UsageReport
from monitor.usage.remote_task import RemoteTask

MOST_TASKS = 5000
_HORIZON = 60.0
_UNKNOWN_FOR = 30.0
_FAR = 1e12
# Seconds per second by which two clocks may drift apart: twice what the kernel slews one by
# (500 ppm, adjtimex(2)).
_DRIFT = 0.001


class Refusal(StrEnum):
    """Why a reading does not count.

    GARBAGE: no number, negative, beyond what a machine can do, or twice in one report.
    ELSEWHERE: the task is on another node. UNKNOWN: no task that the Swarm has told of for 30 s.
    CROWDED: more tasks than one node can have.
    """

    GARBAGE = "garbage"
    ELSEWHERE = "elsewhere"
    UNKNOWN = "unknown"
    CROWDED = "crowded"


class RemoteNode:
    """Tasks of one node and its clock, as its reports tell them.

    refused: where refusals are counted, by reason. A report that arrives `late` seconds later
    than the fastest one tells nothing that is still the present.
    """

    __slots__ = (
        "_fastest",
        "_late",
        "_node_id",
        "_node_of_task",
        "_received",
        "_refused",
        "_reports",
        "_sent_at",
        "tasks",
    )

    def __init__(
        self,
        node_id: str,
        node_of_task: Callable[[str], str | None],
        refused: Counter[Refusal],
        late: float,
    ) -> None:
        self._node_id = node_id
        self._node_of_task = node_of_task
        self._refused = refused
        self._late = late
        self._reports = 0
        self._sent_at = self._received = self._fastest = 0.0
        self.tasks: dict[str, RemoteTask] = {}

    def take(self, report: UsageReport, received: float) -> int:
        """Take in a report that came at `received`; returns how many readings were refused."""
        before = self._refused.total()
        try:
            if self._follow(report.sent_at, received):
                self._take_all(report)
            else:
                self._refused[Refusal.GARBAGE] += 1
        except (TypeError, AttributeError, ValueError, OverflowError):
            self._refused[Refusal.GARBAGE] += 1
        return self._refused.total() - before

    def _follow(self, sent_at: float, received: float) -> bool:
        """Follow the sender's clock; False where it shows nothing that could be a time.

        A clock that went back was started anew, or the report is an old one. One that went ahead
        of the fastest report by more than a report may be late was set: no interval that spans
        the step means anything.
        """
        if not -_FAR < sent_at < _FAR:
            return False
        offset = received - sent_at
        if self._reports:
            fastest = self._fastest + _DRIFT * (received - self._received)
            if sent_at < self._sent_at or offset < fastest - self._late:
                for task in self.tasks.values():
                    task.forget()
                fastest = offset
            self._fastest = min(fastest, offset)
        else:
            self._fastest = offset
        self._reports += 1
        self._sent_at = sent_at
        self._received = received
        return True

    def _take_all(self, report: UsageReport) -> None:
        number, tasks, mentioned = self._reports, self.tasks, 0
        sent_at, offset = self._sent_at, self._received - self._sent_at
        for item in report.readings:
            try:
                task = tasks.get(item.task_id) or self._admit(item)
                if task is None:
                    continue
                if task.mentioned == number:
                    self._refused[Refusal.GARBAGE] += 1
                    continue
                task.mentioned = number
                mentioned += 1
                if not task.known and not self._recognise(item.task_id, task):
                    continue
                if not task.take(item, sent_at, offset):
                    self._refused[Refusal.GARBAGE] += 1
            except (TypeError, AttributeError, ValueError, OverflowError):
                self._refused[Refusal.GARBAGE] += 1
        if mentioned != len(tasks):
            for task_id in [id_ for id_, task in tasks.items() if task.mentioned != number]:
                del tasks[task_id]

    def _admit(self, item: TaskReading) -> RemoteTask | None:
        if len(self.tasks) >= MOST_TASKS:
            self._refused[Refusal.CROWDED] += 1
            return None
        task = self.tasks[item.task_id] = RemoteTask(_HORIZON, self._received)
        return task

    def _recognise(self, task_id: str, task: RemoteTask) -> bool:
        """Whether the task may be on this node: a report can come before the Swarm's own news."""
        node_id = self._node_of_task(task_id)
        if node_id == self._node_id:
            task.known = True
            return True
        if not node_id and self._received - task.since <= _UNKNOWN_FOR:
            return True
        self._refused[Refusal.ELSEWHERE if node_id else Refusal.UNKNOWN] += 1
        task.forget()
        return False
