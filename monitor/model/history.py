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
class History:
    """Monotonic times.

    started: whether the current size was recorded as the first recommendation.
    own_version: the newest service version that is our own write; any other is foreign.
    holding: since when each condition key of a restart rule holds.
    restarts: when this rule restarted the service, oldest first.
    set_by_us: the replicas that this rule set last, as long as nobody else changed them on
        purpose.
    failing_since: since when no metric could be followed.
    restored: when a number that a deploy had reset was put back, oldest first.
    seen: the service as this rule last saw it, or as it wrote it.
    reset: whether a deploy lowered the replicas below `set_by_us`, and nothing was done since.
    zero_by_user: whether somebody else was seen setting the replicas to 0.
    """

    started: bool = False
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
