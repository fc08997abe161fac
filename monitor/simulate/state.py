"""What a simulated Swarm holds: nodes, services and tasks as swarmkit's store has them."""

from dataclasses import dataclass, field
from typing import Any

from monitor.model.node import Availability, NodeState
from monitor.model.task import TaskState

Spec = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Meta:
    """`version` is the store's counter at the last change; stamps are epoch nanoseconds."""

    id: str
    version: int = 0
    created_ns: int = 0
    updated_ns: int = 0


@dataclass(slots=True, kw_only=True)
class SimNode(Meta):
    """CPU in cores, memory in bytes."""

    name: str
    role: str
    cpu_cores: float
    memory_bytes: int
    labels: dict[str, str] = field(default_factory=dict)
    state: NodeState = NodeState.READY
    availability: Availability = Availability.ACTIVE
    leader: bool = False
    reachability: str = "reachable"

    @property
    def invalid(self) -> bool:
        """Whether tasks here must be replaced elsewhere (swarmkit's `InvalidNode`)."""
        return self.state is NodeState.DOWN or self.availability is Availability.DRAIN


@dataclass(slots=True, kw_only=True)
class SimService(Meta):
    """Specs are replaced whole, never changed in place."""

    spec: Spec
    spec_version: int = 0
    previous_spec: Spec | None = None
    previous_spec_version: int = 0
    update_status: dict[str, str] | None = None
    job_iteration: int | None = None
    job_execution_ns: int = 0

    @property
    def name(self) -> str:
        return str(self.spec["Name"])

    @property
    def update_state(self) -> str | None:
        return self.update_status["State"] if self.update_status else None


@dataclass(slots=True, kw_only=True)
class SimTask(Meta):
    """`slot` is 0 for a task of a global service. `since_ns` is when `state` was entered.

    `started_ns` is when its container was started, before the task counts as running.
    `number` is that of its creation among all tasks: what its addresses are made of.
    """

    service_id: str
    service_name: str
    slot: int
    spec: Spec
    endpoint_spec: Spec | None
    spec_version: int
    labels: dict[str, str]
    desired: TaskState
    state: TaskState = TaskState.PENDING
    node_id: str = ""
    since_ns: int = 0
    started_ns: int = 0
    message: str = "created"
    error: str = ""
    container_id: str = ""
    container_removed: bool = False
    exit_code: int | None = None
    oom_killed: bool = False
    job_iteration: int | None = None
    number: int = 0

    @property
    def name(self) -> str:
        return f"{self.service_name}.{self.told_slot or self.node_id}.{self.id}"

    @property
    def told_slot(self) -> int:
        """The slot as clients see it: a job's are counted from 0, which names its node instead."""
        return self.slot if self.job_iteration is None else max(0, self.slot - 1)

    @property
    def place(self) -> int | str:
        """What a replacement inherits: the slot, or the node for a global service."""
        return self.slot or self.node_id

    @property
    def has_container(self) -> bool:
        """Whether its engine has a container for it, running or not."""
        return self.container_id != "" and not self.container_removed

    @property
    def occupies(self) -> bool:
        """Whether it holds resources of its node."""
        return self.state >= TaskState.ASSIGNED and not self.state.ended and self.node_id != ""


@dataclass(slots=True, kw_only=True)
class SimConfig(Meta):
    name: str
    data: bytes
    labels: dict[str, str] = field(default_factory=dict)
    templating: Spec | None = None


SimObject = SimNode | SimService | SimTask | SimConfig
