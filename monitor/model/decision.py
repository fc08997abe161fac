"""A decision: what was seen, how it was judged, what is to be done and why."""

from dataclasses import dataclass

from monitor.model.action import (
    Action,
    ForceUpdate,
    Notify,
    Park,
    RestartTask,
    Rollback,
    ScaleTo,
    SetAvailability,
    Unpark,
)
from monitor.model.history import Course, Seen
from monitor.model.node import Availability
from monitor.model.now import Now
from monitor.model.reason import Reason

ACTION_NAMES = (
    "none",
    "scale_up",
    "scale_down",
    "restart_service",
    "restart_task",
    "move_task",
    "rollback",
    "park",
    "unpark",
    "notify",
    "drain",
    "activate",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage's number: raw, tolerance, stabilized, rate_limited, bounded, capacity, final."""

    name: str
    value: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """One fact that the decision saw: a task's sample or a number, used or ignored, and why.

    `value` in the metric's own unit (cores, bytes, bytes per second), None where there was none.
    task_id: "" for a number that is about the whole service.
    """

    metric: str
    task_id: str
    value: float | None
    used: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """HorizontalPodAutoscaler's conditions: AbleToScale, ScalingActive, ScalingLimited.

    Besides these, where they have something to say: Fallback and Flapping.
    """

    type: str
    status: bool
    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`version` is the service version it was decided on, the fence of its write.

    action: what is to be written; None where nothing is.
    desired: the replicas wanted after all stages, also where a guard holds the write back;
        for a restart rule the current replicas.
    recommendation: what the history shall remember for stabilization; None: nothing.
    holding: (condition key, monotonic time since when it holds) of a restart rule's tasks.
    recheck_after: seconds after which time alone may change the outcome; None: never.
    binding: what kept `desired` from what load alone asks for, "" where nothing did: min, max,
        tolerance, activation, or the name of a reason.
    would_change: what would have to be so that it came out differently, as clauses.
    seen: the service as it was decided on; None where it could not be seen.
    failing: whether no metric could be followed.
    course: what the history shall remember for rules that do not scale; None: what it does.
    trial: whether it will show if its restart helps: its condition does not come back by nature.
    handles: keys of moments that its action deals with.
    node_id, node_name: of a decision about a node, which has no service; `version` is the node's.
    """

    time: Now
    rule: str
    service_id: str
    service_name: str
    version: int
    current: int | None
    desired: int | None
    action: Action | None
    reason: Reason
    sentence: str
    stages: tuple[Stage, ...] = ()
    inputs: tuple[Input, ...] = ()
    conditions: tuple[Condition, ...] = ()
    recommendation: int | None = None
    holding: tuple[tuple[str, float], ...] = ()
    recheck_after: float | None = None
    binding: str = ""
    would_change: str = ""
    seen: Seen | None = None
    failing: bool = False
    id: str = ""
    course: Course | None = None
    trial: bool = False
    handles: tuple[str, ...] = ()
    node_id: str = ""
    node_name: str = ""

    @property
    def subject_id(self) -> str:
        """Of what it is about: its service, or its node."""
        return self.service_id or self.node_id

    @property
    def subject_name(self) -> str:
        return self.service_name or self.node_name

    @property
    def action_name(self) -> str:
        """Of a closed set, ACTION_NAMES: safe as a metric label."""
        match self.action:
            case ScaleTo(replicas):
                return "scale_up" if replicas > (self.current or 0) else "scale_down"
            case ForceUpdate():
                return "restart_service"
            case RestartTask(move=move):
                return "move_task" if move else "restart_task"
            case Rollback():
                return "rollback"
            case Park():
                return "park"
            case Unpark():
                return "unpark"
            case Notify():
                return "notify"
            case SetAvailability(availability=availability):
                return "drain" if availability is Availability.DRAIN else "activate"
            case None:
                return "none"
