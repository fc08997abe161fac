"""A container of a task on this engine, and who the engine says it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Health(StrEnum):
    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Container:
    """`pid` is 0 when not running and counts in the engine's own pid namespace.

    `started_at`, `finished_at` in wall seconds; the latter 0 while it runs. tty: it has a
    terminal, so its output is one stream. `cpu_limit` in cores, `memory_limit` in bytes, None if
    unset.
    """

    id: str
    task_id: str
    service_id: str
    service_name: str
    node_id: str
    task_name: str = ""
    running: bool = True
    pid: int = 0
    started_at: float = 0.0
    finished_at: float = 0.0
    health: Health = Health.NONE
    exit_code: int | None = None
    oom_killed: bool = False
    tty: bool = False
    cgroup_parent: str = ""
    cpu_limit: float | None = None
    memory_limit: int | None = None
    pids_limit: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def slot(self) -> str:
        """The slot, or the node id for a global service, from the task's name.

        Task names are `service.slot.task_id`, or `service.node_id.task_id`.
        """
        parts = self.task_name.rsplit(".", 2)
        return parts[1] if len(parts) == 3 else ""


@dataclass(frozen=True, slots=True)
class EngineIdentity:
    """Who this engine is, from `/info` and `/version`.

    `swarm_state` is the daemon's `LocalNodeState`: inactive, pending, active, error, locked.
    """

    node_id: str
    node_name: str
    swarm_state: str
    is_manager: bool
    cluster_id: str = ""
    engine_version: str = ""
    api_version: str = ""
    cgroup_version: str = "1"
    cgroup_driver: str = "cgroupfs"
    memory_bytes: int = 0
    cpus: int = 0
