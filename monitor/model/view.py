"""One service and what belongs to it, as a decision sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.model.node import Node
from monitor.model.room import UNKNOWN_ROOM, Room
from monitor.model.service import Service, ServiceMode
from monitor.model.task import Task, TaskState


@dataclass(frozen=True, slots=True)
class ServiceView:
    """What the mirror knows of one service at one moment.

    tasks: all known tasks, ended ones included, newest first within a slot.
    nodes: every node of the Swarm by id.
    version_since: monotonic time at which this agent first saw `service.version`.
    tasks_read_at: monotonic time at which the request for `tasks` was sent.
    fresh: whether the mirror is in touch with a manager; False means old facts.
    running_since: monotonic time at which this agent first saw a task running, by task id;
        an absent task counts as running for long.
    starting_since: the same of the moment it first saw a task starting, of those that start or
        run now; with a health check they start until it first succeeds.
    pending_since: as running_since, of tasks that wait for a node.
    failed_at: monotonic times at which this agent saw a task of the service fail or be
        rejected, of the last 10 minutes, oldest first.
    """

    service: Service
    tasks: tuple[Task, ...]
    nodes: Mapping[str, Node]
    version_since: float
    tasks_read_at: float
    fresh: bool = True
    running_since: Mapping[str, float] = field(default_factory=dict)
    starting_since: Mapping[str, float] = field(default_factory=dict)
    pending_since: Mapping[str, float] = field(default_factory=dict)
    failed_at: tuple[float, ...] = ()
    room: Room = UNKNOWN_ROOM

    @property
    def live_tasks(self) -> tuple[Task, ...]:
        return tuple(task for task in self.tasks if task.live)

    def node_lost(self, task: Task) -> bool:
        """Whether the task's node is down: the Swarm keeps such tasks `running` for 24 h."""
        node = self.nodes.get(task.node_id)
        return node is not None and node.lost

    @property
    def running_tasks(self) -> tuple[Task, ...]:
        """Observed running, wanted running (or to its end, a job's), on a node that is not down."""
        return tuple(
            task
            for task in self.tasks
            if task.state is TaskState.RUNNING
            and task.desired_state in (TaskState.RUNNING, TaskState.COMPLETE)
            and not self.node_lost(task)
        )

    @property
    def desired(self) -> int:
        """How many tasks should run: the replicas, or for a global service its live slots.

        Of a job those that run at once, as the Swarm has it: of a global job the nodes that have
        not completed it, of a replicated one its number, also when all of it is done.
        """
        if self.service.replicas is not None:
            return self.service.replicas
        if self.service.mode is ServiceMode.GLOBAL_JOB:
            return len({task.place for task in self._of_this_run if _to_be_done(task)})
        if self.service.desired_tasks is not None:
            return self.service.desired_tasks
        # An update that starts first has two tasks in one place for a moment.
        return len({task.place for task in self.tasks if task.desired_state <= TaskState.RUNNING})

    @property
    def completed(self) -> int:
        """Tasks of a job that completed in its current iteration."""
        return sum(task.state is TaskState.COMPLETE for task in self._of_this_run)

    @property
    def _of_this_run(self) -> tuple[Task, ...]:
        iteration = self.service.job_iteration
        if iteration is None:
            return ()
        return tuple(task for task in self.tasks if task.job_iteration == iteration)


def _to_be_done(task: Task) -> bool:
    return task.desired_state is TaskState.COMPLETE and task.state is not TaskState.COMPLETE
