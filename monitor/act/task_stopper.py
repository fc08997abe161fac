"""The actor's side of stopping one task: reads again, checks, sends one command to its node."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from monitor.act.guards import refuse
from monitor.act.task_guards import check_restarts, check_task, order_for
from monitor.model.action import RestartTask
from monitor.model.decision import Decision
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.peer import Command
from monitor.model.stop_task import LONGEST_GRACE, STOP_TASK, StopOrder
from monitor.ports.engine import Engine
from monitor.ports.errors import EngineError
from monitor.ports.node_hands import NodeHands


@dataclass(frozen=True, slots=True)
class TaskStopper:
    """own_service_id: the service of this program, of which no task is ever stopped."""

    engine: Engine
    hands: NodeHands
    own_service_id: Callable[[], str | None]

    async def stop(
        self,
        decision: Decision,
        action: RestartTask,
        term: int,
        time_left: Callable[[], float | str],
    ) -> Outcome:
        """Has the task's container stopped at most once; never raises EngineError.

        term: of the lease the decision was made under. time_left: asked after the last read for
        the seconds for which the command may still be begun, or why it must not be sent.
        """
        order = await self._order(decision, action)
        if isinstance(order, Outcome):
            return order
        left = time_left()
        if isinstance(left, str):
            return refuse(left)
        command = Command(
            id=_command_id(term, decision),
            kind=STOP_TASK,
            term=term,
            expires_in=left,
            arguments=order.as_arguments(),
        )
        result = await self.hands.command(order.node_id, command)
        if result.done:
            return Outcome(OutcomeKind.APPLIED, result.detail)
        kind = OutcomeKind.REFUSED if result.known else OutcomeKind.UNKNOWN
        return Outcome(kind, result.detail)

    async def _order(self, decision: Decision, action: RestartTask) -> Outcome | StopOrder:
        try:
            service = await self.engine.service(decision.service_id)
            tasks = await self.engine.tasks(decision.service_id)
        except EngineError as error:
            return Outcome(
                OutcomeKind.FAILED, f"nothing was stopped, since reading failed: {error}"
            )
        if service.version != decision.version:
            return Outcome(
                OutcomeKind.CONFLICT,
                f"{service.name} changed since it was decided on "
                f"(version {decision.version}, now {service.version})",
            )
        why_not = check_restarts(service, self.own_service_id())
        if why_not:
            return refuse(why_not)
        task = check_task(service, tasks, action.task_id)
        if isinstance(task, str):
            return refuse(task)
        if (task.node_id, task.container_id) != (action.node_id, action.container_id):
            return refuse(f"task {task.id} has another node or container than was decided on")
        order = order_for(service, task)
        if order.grace is not None and order.grace > LONGEST_GRACE:
            return refuse(f"{service.name} has a stop grace period of over {LONGEST_GRACE} s")
        return order


def _command_id(term: int, decision: Decision) -> str:
    """One for each decision of a term: the agent there carries out the first of an id alone."""
    return hashlib.sha256(f"{term}/{decision.id}".encode()).hexdigest()[:32]
