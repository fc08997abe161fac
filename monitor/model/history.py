"""What a rule remembers of one service between decisions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`at` is the newest monotonic time at which `replicas` was proposed."""

    at: float
    replicas: int


@dataclass(frozen=True, slots=True)
class ScaleEvent:
    """A change of replicas of our own: positive up, negative down."""

    at: float
    change: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A service as a rule last saw it, to tell what somebody else changed since.

    template: fingerprint of the task template. stack: whether it belongs to one.
    """

    version: int
    replicas: int
    template: str
    stack: bool = False


@dataclass(frozen=True, slots=True)
class Deploy:
    """What a restart rule last saw deployed: `Service.deployed`, and since when.

    at: None where it was there at the first look. rolled_back: the `spec` that this rule rolled
    back; it is this one until the rollback is seen, and then the one that this came instead of.
    """

    spec: str
    at: float | None = None
    rolled_back: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """Whether the restarts of one place help. place: "" for those of the whole service.

    at: the newest restart. in_vain: how many in a row did not help, this one not counted until it
    is judged.
    """

    place: str
    at: float
    judged: bool = False
    in_vain: int = 0


@dataclass(frozen=True, slots=True)
class BreakerState:
    """open_since: None while closed. calm_since: since when a later deploy does well."""

    trials: tuple[Trial, ...] = ()
    open_since: float | None = None
    calm_since: float | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """What a rule that restarts, moves tasks or drains remembers; each decision says the next.

    handled: up to which moment a cron moment (wall seconds) or the restart of another service
        was dealt with, by the condition's key.
    parked: the replicas before this rule parked the service; None: it is not parked by it.
    moves_needed: how many moves were needed when a task was last moved; moves_in_vain: how many
        in a row brought nothing; layout: the nodes that this is about.
    drained_until: when a node that this rule drained is taken back.
    acted_version: of the service or node that this rule parked or drained, as it was decided on:
        only a newer one shows what became of that.
    """

    deploy: Deploy | None = None
    breaker: BreakerState = BreakerState()
    handled: tuple[tuple[str, float], ...] = ()
    parked: int | None = None
    moves_needed: int | None = None
    moves_in_vain: int = 0
    layout: str = ""
    drained_until: float | None = None
    acted_version: int = 0


NEW_COURSE = Course()


@dataclass(frozen=True, slots=True)
class History:
    """Monotonic times.

    started: whether the current size was recorded as the first recommendation.
    judged_at: when it was judged last on a view that could be trusted.
    own_version: the newest service version that is our own write; any other is foreign.
    holding: since when each condition key of a restart rule holds.
    restarts: when this rule acted on the service (or node), oldest first, unless it scales.
    set_by_us: the replicas that this rule set last, as long as nobody else changed them on
        purpose.
    failing_since: since when no metric could be followed.
    restored: when a number that a deploy had reset was put back, oldest first.
    seen: the service as this rule last saw it, or as it wrote it.
    reset: whether a deploy lowered the replicas below `set_by_us`, and nothing was done since.
    zero_by_user: whether somebody else was seen setting the replicas to 0.
    """

    started: bool = False
    judged_at: float | None = None
    recommendations: tuple[Recommendation, ...] = ()
    events: tuple[ScaleEvent, ...] = ()
    own_version: int | None = None
    holding: tuple[tuple[str, float], ...] = ()
    restarts: tuple[float, ...] = ()
    scaled_to_zero_by_us: bool = False
    set_by_us: int | None = None
    failing_since: float | None = None
    restored: tuple[float, ...] = ()
    seen: Seen | None = None
    reset: bool = False
    zero_by_user: bool = False
    course: Course = NEW_COURSE
