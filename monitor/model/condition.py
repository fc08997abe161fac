"""What a restart rule may wait for besides what tasks use. Durations in seconds."""

from dataclasses import dataclass

from monitor.model.scalar import PrometheusQuery
from monitor.model.task import TaskState


@dataclass(frozen=True, slots=True)
class UnhealthyFor:
    """Holds for a task whose health check has said unhealthy for `for_seconds` on end."""

    for_seconds: float


@dataclass(frozen=True, slots=True)
class HealthFlapping:
    """Holds for a task in whose place tasks became unhealthy `count` times within `within`."""

    count: int
    within: float


@dataclass(frozen=True, slots=True)
class StuckIn:
    """Holds for a task that is wanted running and has been in `state` for `for_seconds`."""

    state: TaskState
    for_seconds: float


@dataclass(frozen=True, slots=True)
class OlderThan:
    """Holds for a task that has run for `age`, by the wall clock."""

    age: float


@dataclass(frozen=True, slots=True)
class OomKills:
    """Holds for the service once `count` of its tasks ran out of memory within `within`."""

    count: int
    within: float


@dataclass(frozen=True, slots=True)
class Exits:
    """Holds for the service once `count` of its tasks ended by themselves within `within`.

    codes: exit codes that count; none: every failure, which an exit with 0 is not.
    """

    count: int
    within: float
    codes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Cron:
    """Holds for the service from each moment of `cron` in `timezone` on, for `within` seconds.

    Whoever acts on a moment has dealt with it.
    """

    cron: str
    timezone: str = "UTC"
    within: float = 600.0

    @property
    def key(self) -> str:
        return f"cron {self.cron} {self.timezone}"


@dataclass(frozen=True, slots=True)
class NumberBeyond:
    """Holds for the service once a number was beyond `bound` for `for_seconds` on end.

    name: unique in its rule. above: beyond is above; else below.
    """

    name: str
    source: PrometheusQuery
    bound: float
    above: bool
    for_seconds: float


@dataclass(frozen=True, slots=True)
class Restarted:
    """Holds for the service after a rule restarted `service`, until this rule has acted on it."""

    service: str

    @property
    def key(self) -> str:
        return f"restarted {self.service}"


TaskLeaf = UnhealthyFor | HealthFlapping | StuckIn | OlderThan
"""Those that hold for a task, besides usage."""

ServiceLeaf = OomKills | Exits | Cron | NumberBeyond | Restarted
"""Those that hold for a whole service."""
