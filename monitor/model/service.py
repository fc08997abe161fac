"""A service as a manager reports it, with the raw spec that must be written back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ServiceMode(StrEnum):
    REPLICATED = "replicated"
    GLOBAL = "global"
    REPLICATED_JOB = "replicated-job"
    GLOBAL_JOB = "global-job"

    @property
    def is_job(self) -> bool:
        return self in (ServiceMode.REPLICATED_JOB, ServiceMode.GLOBAL_JOB)


class UpdateState(StrEnum):
    """`UpdateStatus.State`; a service that has none has `None` in its place."""

    UPDATING = "updating"
    PAUSED = "paused"
    COMPLETED = "completed"
    ROLLBACK_STARTED = "rollback_started"
    ROLLBACK_PAUSED = "rollback_paused"
    ROLLBACK_COMPLETED = "rollback_completed"


@dataclass(frozen=True, slots=True)
class PublishedPort:
    protocol: str
    published: int
    target: int
    publish_mode: str


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When the Swarm itself replaces a task that ended: condition none, on-failure or any.

    max_attempts: of one slot, 0 without end. delay: seconds it waits before each.
    """

    condition: str = "any"
    max_attempts: int = 0
    delay: float = 5.0

    @property
    def always(self) -> bool:
        """Whether every task that ends is replaced, however often."""
        return self.condition == "any" and self.max_attempts == 0


SWARM_RESTARTS = RestartPolicy()
"""What the Swarm does where a service says nothing."""


@dataclass(frozen=True, slots=True)
class Service:
    """CPU in cores, memory in bytes, times in wall seconds, durations in seconds.

    `raw` is the whole object of `GET /services/{id}` as the daemon sent it, without
    `insertDefaults`: an update must send its `Spec` back untouched but for one field.
    `template` is the fingerprint of `Spec.TaskTemplate`, comparable with `Task.template`.
    A reservation or limit that is not set is None.
    `deploy` is as `template`, apart from ForceUpdate: another one is another deploy.
    `restart_policy` is None where the service has the Swarm's own, SWARM_RESTARTS.
    `spreads`: whether it has placement preferences, so that even over nodes is not what it wants.
    """

    id: str
    name: str
    version: int
    mode: ServiceMode
    replicas: int | None
    template: str
    image: str = ""
    stack: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    cpu_reservation: float | None = None
    cpu_limit: float | None = None
    memory_reservation: int | None = None
    memory_limit: int | None = None
    update_state: UpdateState | None = None
    update_started_at: float | None = None
    update_completed_at: float | None = None
    update_message: str = ""
    max_replicas_per_node: int = 0
    start_period: float = 0.0
    has_health_check: bool = False
    ports: tuple[PublishedPort, ...] = ()
    job_iteration: int | None = None
    job_last_execution: float | None = None
    desired_tasks: int | None = None
    running_tasks: int | None = None
    completed_tasks: int | None = None
    created_at: float = 0.0
    updated_at: float = 0.0
    deploy: str = ""
    restart_policy: RestartPolicy | None = None
    spreads: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def deployed(self) -> str:
        """What a deploy changes and a restart does not."""
        return self.deploy or self.template

    @property
    def restarts(self) -> RestartPolicy:
        return SWARM_RESTARTS if self.restart_policy is None else self.restart_policy
