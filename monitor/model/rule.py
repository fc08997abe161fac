"""Rules as the deciding core reads them; rule files and labels are turned into these."""

from dataclasses import dataclass
from enum import StrEnum

from monitor.model.condition import ServiceLeaf, TaskLeaf
from monitor.model.scalar import ScalarMetric
from monitor.model.schedule import AfterDeployReset, Fallback, Schedule
from monitor.model.selector import NodeSelector, Selector
from monitor.model.tuning import SWARM_TUNING, Count, Tuning
from monitor.model.usage import MetricKind


class RuleMode(StrEnum):
    ACT = "act"
    DRY_RUN = "dry_run"
    OFF = "off"


class Basis(StrEnum):
    """What a share is a share of; `auto` is the reservation, else the limit."""

    RESERVATION = "reservation"
    LIMIT = "limit"
    AUTO = "auto"


class SelectPolicy(StrEnum):
    MAX = "max"
    MIN = "min"
    DISABLED = "disabled"


class PolicyType(StrEnum):
    PERCENT = "percent"
    REPLICAS = "replicas"


class MissingSamples(StrEnum):
    """hold: no scale-down while a sample is missing. hpa: HorizontalPodAutoscaler's fill-in."""

    HOLD = "hold"
    HPA = "hpa"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A share (0.6 for 60%) of `of`, or, where `of` is None, an absolute: cores or bytes."""

    value: float
    of: Basis | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """`name` is unique in its rule. Windows in seconds.

    window, rising_window: usage is judged as the mean over `window`, and for more replicas alone
    also as the mean over the short `rising_window`. Worked example with 15 s and 5 s: 2 tasks
    at 40 % of a target of 50 % step to 100 %. Their long mean is above target after 5 s only,
    the short one after 2 s (64 %: 3 replicas), and after 4 s it asks for the 4 that the load
    needs. Back at 40 % the long mean lets go slowly, and the window of scale_down after it.
    target: None where the metric is only an input of a formula: the sum over all tasks.
    activation: with `min: 0`, usage per task (in the target's terms) above which the service
    must stay awake; None: any usage that another metric does not put to sleep.
    """

    name: str
    kind: MetricKind
    target: Quantity | None
    window: float = 15.0
    rising_window: float = 5.0
    activation: float | None = None


AnyMetric = Metric | ScalarMetric


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `value` (percent of replicas, or replicas) of change within `period` seconds."""

    type: PolicyType
    value: int
    period: float


@dataclass(frozen=True, slots=True)
class Behavior:
    """How fast and how eagerly one direction goes. Seconds; tolerance is a share (0.1).

    cooldown: no change in this direction so soon after the rule's last change of any direction.
    """

    stabilization_window: float
    policies: tuple[Policy, ...]
    tolerance: float = 0.1
    select_policy: SelectPolicy = SelectPolicy.MAX
    cooldown: float = 0.0


SCALE_UP_DEFAULT = Behavior(
    stabilization_window=0.0,
    policies=(Policy(PolicyType.PERCENT, 100, 15.0), Policy(PolicyType.REPLICAS, 4, 15.0)),
)
# Judged every second a falling load would take replicas away one by one. A HorizontalPodAutoscaler
# looks every 15 s (its sync period), and so takes fewer steps, each to what is needed by then.
SCALE_DOWN_DEFAULT = Behavior(
    stabilization_window=300.0,
    policies=(Policy(PolicyType.PERCENT, 100, 15.0),),
    cooldown=15.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What rules about services share. `source` is `file:line` of its definition."""

    name: str
    selector: Selector
    mode: RuleMode = RuleMode.ACT
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleRule(Rule):
    """warm_up: seconds of running for which a new task's CPU does not count yet; None: while the
        start period of the service's own health check lasts, if it has any.

    max_direction_changes: per hour; beyond it nothing is scaled down until an hour is calmer.
    """

    min: int
    max: int
    metrics: tuple[AnyMetric, ...]
    scale_up: Behavior = SCALE_UP_DEFAULT
    scale_down: Behavior = SCALE_DOWN_DEFAULT
    missing_samples: MissingSamples = MissingSamples.HOLD
    count: Count = Count.READY
    tuning: Tuning = SWARM_TUNING
    warm_up: float | None = None
    fallback: Fallback | None = None
    schedules: tuple[Schedule, ...] = ()
    after_deploy_reset: AfterDeployReset = AfterDeployReset.WAIT
    max_direction_changes: int = 12


class ConditionKind(StrEnum):
    MEMORY_ABOVE = "memory_above"
    CPU_ABOVE = "cpu_above"
    CPU_BELOW = "cpu_below"

    @property
    def below(self) -> bool:
        return self is ConditionKind.CPU_BELOW


@dataclass(frozen=True, slots=True)
class TaskCondition:
    """Holds for a task once its usage was beyond `threshold` for `for_seconds` on end."""

    kind: ConditionKind
    threshold: Quantity
    for_seconds: float


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple["When", ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """All hold for the same task; one about the service holds for each of its tasks."""

    conditions: tuple["When", ...]


Leaf = TaskCondition | TaskLeaf | ServiceLeaf
When = Leaf | AnyOf | AllOf


class RestartAction(StrEnum):
    RESTART_SERVICE = "restart_service"
    RESTART_TASK = "restart_task"
    ROLLBACK = "rollback"
    PARK = "park"
    NOTIFY = "notify"

    @property
    def restarts(self) -> bool:
        """Whether tasks are replaced by others of the same kind, which may or may not help."""
        return self in (RestartAction.RESTART_SERVICE, RestartAction.RESTART_TASK)


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `count` actions on one service (or node) within `within` seconds."""

    count: int
    within: float


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between actions: `initial`, doubling to `max` while the condition comes back."""

    initial: float
    max: float


@dataclass(frozen=True, slots=True)
class Breaker:
    """Opens after `after` restarts in a row after each of which the condition came back soon.

    within: seconds that are soon, on top of what the condition itself takes to hold; and for
        which a new deploy must do well until the breaker closes.
    """

    after: int
    within: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartRule(Rule):
    """quiet_after_deploy: seconds after somebody's deploy in which nothing is done.

    at_once: tasks of one service that `restart_task` may have under way at the same time.
    """

    when: When
    action: RestartAction = RestartAction.RESTART_SERVICE
    budget: Budget = Budget(3, 3600.0)
    backoff: Backoff = Backoff(30.0, 3600.0)
    breaker: Breaker = Breaker(5, 900.0)
    quiet_after_deploy: float = 30.0
    at_once: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RebalanceRule(Rule):
    """Spreads the tasks of each service evenly over the nodes that may run it.

    skew_above: of a service: the most tasks on a node less the fewest; 1 is as even as can be.
    for_seconds: since when the skew must have lasted. None: only after a node joined.
    node_joined: seconds after a node joined or returned at which its service is looked at,
        whatever `skew_above` and `for_seconds` say; None: a new node alone is no reason.
    """

    skew_above: int = 1
    for_seconds: float | None = 300.0
    node_joined: float | None = None
    budget: Budget = Budget(20, 3600.0)
    quiet_after_deploy: float = 60.0


AnyRule = ScaleRule | RestartRule | RebalanceRule


class NodeConditionKind(StrEnum):
    DOWN_FOR = "down_for"
    MEMORY_ABOVE = "memory_above"
    DISK_ABOVE = "disk_above"


@dataclass(frozen=True, slots=True)
class NodeCondition:
    """Holds once the node was down, or used more than `share` (0.9), for `for_seconds` on end."""

    kind: NodeConditionKind
    share: float
    for_seconds: float


@dataclass(frozen=True, slots=True)
class FailingHere:
    """Holds once `count` tasks failed on the node within `within` that do well elsewhere."""

    count: int
    within: float


NodeLeaf = NodeCondition | FailingHere


class NodeAction(StrEnum):
    DRAIN = "drain"
    NOTIFY = "notify"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRule:
    """Watches nodes; `any_of`: one of its conditions is enough. `source` is `file:line`.

    drain_for: seconds after which a drained node is taken back, whatever its samples say: its
        agent is stopped by the drain, so there are none.
    """

    name: str
    selector: NodeSelector
    any_of: tuple[NodeLeaf, ...]
    action: NodeAction = NodeAction.NOTIFY
    drain_for: float = 1800.0
    budget: Budget = Budget(2, 86400.0)
    mode: RuleMode = RuleMode.ACT
    source: str = ""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules in force. `digest` is equal where the rules are, whatever their files."""

    rules: tuple[AnyRule, ...] = ()
    digest: str = ""
    node_rules: tuple[NodeRule, ...] = ()
