"""What a node's engine does with a task: pull, start, run, stop, as its image behaves."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from monitor.model.container import Health
from monitor.model.event import Event
from monitor.model.node import NodeState
from monitor.model.task import TaskState
from monitor.simulate.announce import container_event
from monitor.simulate.spec import has_health_check, image_of
from monitor.simulate.state import SimTask
from monitor.simulate.store import Store

HEX = "0123456789abcdef"
_JOB_SECONDS = 1.0
_UNHEALTHY = ": dockerexec: unhealthy container"
Publish = Callable[[str, Event], None]  # a node's id, an event of its engine


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How containers of an image behave. Seconds.

    pull: from accepted to ready. start: from started to running (with a health check: to
    healthy). stop: from SIGTERM to the end. exit_after: how long it runs by itself; None: for
    ever. missing: the image cannot be pulled, tasks are rejected. stop_code: what it ends with when
    it is told to stop. unhealthy_after: from its start until its health check fails, if it has
    one; managers stop it then, and it ends with stop_code, or 143 for that of success.
    """

    pull: float = 0.2
    start: float = 0.8
    stop: float = 0.2
    exit_after: float | None = None
    exit_code: int = 1
    missing: bool = False
    stop_code: int = 0
    unhealthy_after: float | None = None


class Executor:
    """All nodes' engines. A task moves only while its node is in touch (`ready`)."""

    def __init__(
        self,
        store: Store,
        publish: Publish,
        behaviours: dict[str, Behaviour],
        health: dict[str, Health],
    ) -> None:
        """health: by task id, of containers with a health check; it is kept up to date."""
        self._store = store
        self._health = health
        self._publish = publish
        self._behaviours = behaviours
        self._steps: dict[str, tuple[object, asyncio.TimerHandle]] = {}
        self._dead: set[str] = set()  # tasks whose containers a crash of the machine ended

    def behaviour(self, task: SimTask) -> Behaviour:
        """That of its image; a job's task of one that says no end completes all the same."""
        known = self._behaviours.get(image_of(task.spec)) or Behaviour()
        if task.job_iteration is None or known.exit_after is not None:
            return known
        return replace(known, exit_after=_JOB_SECONDS, exit_code=0)

    def forget(self, task: SimTask) -> None:
        step = self._steps.pop(task.id, None)
        if step:
            step[1].cancel()

    def removed(self, task: SimTask) -> None:
        """Managers have forgotten the task: its engine removes the container."""
        self.forget(task)
        self._dead.discard(task.id)
        self._health.pop(task.id, None)
        node = self._store.nodes.get(task.node_id)
        if node is not None and node.state is NodeState.READY:
            self.remove_container(task)

    def remove_container(self, task: SimTask) -> None:
        """One that has ended, unless it is gone already."""
        if task.has_container:
            task.container_removed = True
            self._tell(task, "destroy")

    def crash(self, node_id: str) -> None:
        """The node's machine fails: its containers have ended, which nobody hears of until it is
        back. Each is found dead then, with exit code 255.
        """
        for task in self._store.tasks_on[node_id].values():
            if task.container_id and not task.state.ended:
                self.forget(task)
                self._dead.add(task.id)

    def consider(self, task: SimTask) -> None:
        """Begin the task's next step, unless that very step is under way."""
        node = self._store.nodes.get(task.node_id)
        if task.id not in self._store.tasks or node is None or node.state is not NodeState.READY:
            return
        if task.id in self._dead:
            self._dead.discard(task.id)
            asyncio.get_running_loop().call_soon(self._find_dead, task)
            return
        stopping = task.desired > TaskState.COMPLETE
        step = (task.state, stopping or task.desired)
        if task.id in self._steps:
            if self._steps[task.id][0] == step:
                return
            self.forget(task)
        delay = self._delay(task, stopping)
        if delay is not None:
            handle = asyncio.get_running_loop().call_later(delay, self._step, task, stopping)
            self._steps[task.id] = (step, handle)

    def _find_dead(self, task: SimTask) -> None:
        self._end_task(task, TaskState.FAILED, 255)

    def _delay(self, task: SimTask, stopping: bool) -> float | None:
        """Seconds until the task's next state; None where it stays as it is."""
        behaviour = self.behaviour(task)
        if task.state.ended or task.state < TaskState.ASSIGNED:
            return None
        if stopping:
            return behaviour.stop if task.state >= TaskState.STARTING else 0.0
        match task.state:
            case TaskState.ASSIGNED | TaskState.ACCEPTED:
                return 0.01
            case TaskState.PREPARING:
                return behaviour.pull
            case TaskState.READY:
                return 0.01 if task.desired >= TaskState.RUNNING else None
            case TaskState.STARTING:
                return self._until(task, behaviour.start, 0.0)
        return self._until(task, behaviour.exit_after, behaviour.start)

    def _until(self, task: SimTask, step: float | None, begun: float) -> float | None:
        """Seconds until the step or, where that is earlier, its health check fails.

        begun: how long it is up.
        """
        sick = self.behaviour(task).unhealthy_after
        if sick is None or not has_health_check(task.spec):
            return step
        left = max(sick - begun, 0.0)
        return left if step is None else min(left, step)

    def _fails(self, task: SimTask) -> bool:
        """Whether it is its health check that ends the state it is in."""
        known = self.behaviour(task)
        sick = known.unhealthy_after
        if sick is None or not has_health_check(task.spec):
            return False
        if task.state is TaskState.STARTING:
            return sick < known.start
        return known.exit_after is None or sick - known.start < known.exit_after

    def _step(self, task: SimTask, stopping: bool) -> None:
        self._steps.pop(task.id, None)
        node = self._store.nodes.get(task.node_id)
        if task.id not in self._store.tasks or node is None or node.state is not NodeState.READY:
            return
        if stopping:
            self._stop(task)
            return
        behaviour = self.behaviour(task)
        move = self._store.move_task
        match task.state:
            case TaskState.ASSIGNED:
                move(task, TaskState.ACCEPTED, message="accepted")
            case TaskState.ACCEPTED:
                move(task, TaskState.PREPARING, message="preparing")
            case TaskState.PREPARING if behaviour.missing:
                error = f"No such image: {image_of(task.spec)}"
                move(task, TaskState.REJECTED, message="preparing", error=error)
            case TaskState.PREPARING:
                move(task, TaskState.READY, message="prepared")
            case TaskState.READY:
                self._start(task)
            case TaskState.STARTING | TaskState.RUNNING if self._fails(task):
                self.set_health(task, Health.UNHEALTHY)
                code = behaviour.stop_code or 143
                self.end(task, TaskState.FAILED, code, signal="15", stopped=True, why=_UNHEALTHY)
            case TaskState.STARTING:
                if task.id in self._health:
                    self.set_health(task, Health.HEALTHY)
                move(task, TaskState.RUNNING, message="started")
            case TaskState.RUNNING:
                done = behaviour.exit_code == 0
                self.end(
                    task, TaskState.COMPLETE if done else TaskState.FAILED, behaviour.exit_code
                )

    def _stop(self, task: SimTask) -> None:
        if task.state >= TaskState.STARTING:
            code = self.behaviour(task).stop_code
            self.end(task, TaskState.SHUTDOWN, code, signal="15", stopped=True)
        else:
            self._store.move_task(task, TaskState.SHUTDOWN, message="shutdown")

    def _start(self, task: SimTask) -> None:
        self._store.move_task(
            task,
            TaskState.STARTING,
            message="starting",
            container_id=self._store.new_id(64, HEX),
            started_ns=self._store.stamp(),
        )
        self._tell(task, "create")
        self._tell(task, "start")
        if has_health_check(task.spec):
            self._health[task.id] = Health.STARTING

    def set_health(self, task: SimTask, health: Health) -> None:
        """What its health check finds from now on; its engine tells of it."""
        self._health[task.id] = health
        self._tell(task, f"health_status: {health.value}")

    def end(
        self,
        task: SimTask,
        state: TaskState,
        exit_code: int,
        *,
        signal: str = "",
        stopped: bool = False,
        removed: bool = False,
        oom: bool = False,
        why: str = "",
    ) -> None:
        """The container's end, told as the engine tells it.

        signal: the number of the one that a client or Swarm sent, if any. stopped: by a request
        to stop it. removed: it is taken away too. why: stands behind the task's error.
        """
        if task.state.ended or not task.container_id:
            return
        self.forget(task)
        if oom:
            self._tell(task, "oom")
        if signal:
            self._tell(task, "kill", signal=signal)
        self._tell(task, "die", exitCode=str(exit_code))
        if stopped:
            self._tell(task, "stop")
        if removed:
            self.remove_container(task)
        self._end_task(task, state, exit_code, oom=oom, why=why)

    def _end_task(
        self,
        task: SimTask,
        state: TaskState,
        exit_code: int,
        *,
        oom: bool = False,
        why: str = "",
    ) -> None:
        error = f"task: non-zero exit ({exit_code}){why}" if state is TaskState.FAILED else ""
        # Who has a health check is starting until that is passed.
        waits = task.state is TaskState.STARTING and has_health_check(task.spec)
        message = {TaskState.SHUTDOWN: "shutdown", TaskState.COMPLETE: "finished"}.get(
            state, "starting" if waits else "started"
        )
        self._store.move_task(
            task, state, exit_code=exit_code, error=error, message=message, oom_killed=oom
        )

    def _tell(self, task: SimTask, action: str, **more: str) -> None:
        self._publish(task.node_id, container_event(task, action, self._store.stamp(), **more))
