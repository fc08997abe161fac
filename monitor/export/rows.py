"""What series are made of: frozen values, one per exported object."""

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.model.container import Health
from monitor.model.node import Node
from monitor.model.now import Now
from monitor.model.service import Service
from monitor.model.task import Task
from monitor.model.usage import Reading


@dataclass(frozen=True, slots=True)
class TaskRow:
    task: Task
    service_name: str
    node_name: str


@dataclass(frozen=True, slots=True)
class SlotRow:
    """`place` is the slot, or the node id of a global service.

    exit_code: of the newest ended task in it, None if there is none.
    restarts: new tasks seen in the slot since the agent started.
    """

    service_name: str
    place: str
    exit_code: int | None
    restarts: int


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """`states` counts tasks by the state's label; `failures` by reason since the agent started.

    completed: of a job's tasks in its current iteration.
    """

    service: Service
    desired: int
    running: int
    states: Mapping[str, int]
    failures: Mapping[str, int]
    completed: int = 0


@dataclass(frozen=True, slots=True)
class NodeRow:
    """Reservations of the tasks on the node: CPU in 1e-9 cores (whole numbers), bytes."""

    node: Node
    reserved_nano_cpus: int
    reserved_memory: int
    running_tasks: int


@dataclass(frozen=True, slots=True)
class ClusterRow:
    managers: int
    managers_reachable: int

    @property
    def quorum_margin(self) -> int:
        """Managers that may still be lost before raft loses its majority; below 0: lost."""
        return self.managers_reachable - (self.managers // 2 + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskUsageRow:
    """One task on this node.

    slot: slot number, or node id for a global service.
    reading: None before the first sample.
    sampled_at: when `reading` was taken; `started_at` in wall seconds, 0 if unknown.
    oom_events: out-of-memory events of the task seen by this agent.
    """

    service_name: str
    service_id: str
    task_id: str
    slot: str
    node_id: str
    node_name: str
    reading: Reading | None
    sampled_at: Now | None
    started_at: float = 0.0
    health: Health = Health.NONE
    oom_events: int = 0


@dataclass(frozen=True, slots=True)
class RuleRow:
    rule: str
    evaluations: int


@dataclass(frozen=True, slots=True)
class RuleTotalsRow:
    """Counts of one rule and service: actions by (action, outcome), blocks by reason.

    `last_action` in wall seconds, None before the first.
    """

    rule: str
    service_name: str
    actions: Mapping[tuple[str, str], int]
    blocked: Mapping[str, int]
    last_action: float | None


@dataclass(frozen=True, slots=True)
class RuleConditionsRow:
    """`stated`: (type, status) of the newest decision's conditions."""

    rule: str
    service_name: str
    stated: tuple[tuple[str, bool], ...]

    def status_of(self, type_: str) -> str:
        """`true`, `false`, or `unknown`; the signs of trouble are stated only where they hold."""
        status = dict(self.stated).get(type_)
        if status is None:
            return "false" if type_ in ("Fallback", "Flapping") else "unknown"
        return "true" if status else "false"


@dataclass(frozen=True, slots=True)
class RuleStateRow:
    """What the newest decision of one rule on one service came to.

    decision: its action's name, None before the first decision.
    inputs: the mean of the samples it used, by metric.
    """

    rule: str
    service_name: str
    decision: str | None
    desired: int | None
    inputs: Mapping[str, float]
    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class NodeRuleTotalsRow:
    """As `RuleTotalsRow`, of one rule and node."""

    rule: str
    node_name: str
    actions: Mapping[tuple[str, str], int]
    blocked: Mapping[str, int]
    last_action: float | None


@dataclass(frozen=True, slots=True)
class NodeRuleStateRow:
    """What the newest decision of one rule on one node came to: its action's name.

    drained_until: wall seconds, None where the rule has not drained the node.
    """

    rule: str
    node_name: str
    decision: str
    drained_until: float | None
