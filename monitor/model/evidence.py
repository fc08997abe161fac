"""What a decision is told besides the view and what tasks use. Monotonic times, if not said."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.model.cause import Cause
from monitor.model.container import Health


@dataclass(frozen=True, slots=True)
class Ended:
    """One task's end as it is known now; a cause may still change within seconds of it.

    place: its slot, or its node for a global service. service_id: whose task it was. template: as
    `Task.template`, "" where it is not known.
    """

    task_id: str
    place: str
    node_id: str
    at: float
    cause: Cause
    exit_code: int | None = None
    service_id: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class HealthChange:
    """A task's health check came to say `health`."""

    task_id: str
    place: str
    at: float
    health: Health


@dataclass(frozen=True, slots=True)
class Moments:
    """Of one cron condition, wall seconds: its newest moment up to now, and its next one."""

    last: float | None = None
    next: float | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What a rollback of the service would go back to.

    id: by which the kept spec is found. image: for people. problem: why it must not be used, a
    clause such as "its secret db-password is gone"; "" where it may.
    """

    id: str
    image: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A node that may run tasks of the service.

    free: how many more of them fit; None: nothing limits it. short: what limits it, for people.
    joined_at: when this agent saw it become ready and active; None: it has been so for as long as
    anybody looked.
    """

    node_id: str
    name: str
    free: int | None = None
    joined_at: float | None = None
    short: str = ""


@dataclass(frozen=True, slots=True)
class Barred:
    """A node that takes tasks, but none of this service. why: for people."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of one service.

    ends: oldest first. health: changes of the last day, oldest first.
    moments: by `Cron.key`. restarted: by service name, when its newest restart by a rule was over
        and all of its tasks ran again.
    agents: nodes whose agent can be told to stop a container; None: nobody asked.
    rollback: None where there is nothing to go back to, or nobody looked.
    spots: for rebalancing; None: nobody looked. barred: the other nodes that take tasks.
    rebalancing: the service of which a task is being moved, if that is another one.
    parked_by: the rule that parked the service, "" where none did.
    """

    ends: tuple[Ended, ...] = ()
    health: tuple[HealthChange, ...] = ()
    moments: Mapping[str, Moments] = field(default_factory=dict)
    restarted: Mapping[str, float] = field(default_factory=dict)
    agents: tuple[str, ...] | None = None
    rollback: Target | None = None
    spots: tuple[Spot, ...] | None = None
    barred: tuple[Barred, ...] = ()
    rebalancing: str = ""
    parked_by: str = ""


NO_EVIDENCE = Evidence()
