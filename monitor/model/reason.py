"""Why a decision came out as it did: a closed set, safe as a metric label."""

from enum import StrEnum


class Reason(StrEnum):
    # Something is to be done.
    ABOVE_TARGET = "above_target"
    BELOW_TARGET = "below_target"
    BELOW_MIN = "below_min"
    ABOVE_MAX = "above_max"
    CONDITION_MET = "condition_met"
    ACTIVATED = "activated"
    INACTIVE = "inactive"
    FALLBACK = "fallback"
    DEPLOY_RESET = "deploy_reset"
    SKEWED = "skewed"
    DRAIN_OVER = "drain_over"
    # Nothing is to be done.
    WITHIN_TOLERANCE = "within_tolerance"
    CONDITION_NOT_MET = "condition_not_met"
    AT_MAX = "at_max"
    AT_MIN = "at_min"
    BALANCED = "balanced"
    DRAINED = "drained"
    DRAIN_LIFTED = "drain_lifted"
    # Something would be done, but.
    STABILIZED = "stabilized"
    RATE_LIMITED = "rate_limited"
    COOLDOWN = "cooldown"
    BUDGET = "budget"
    BACKOFF = "backoff"
    MISSING_SAMPLES = "missing_samples"
    MISSING_REQUEST = "missing_request"
    NOT_CONVERGED = "not_converged"
    ROLLOUT_IN_PROGRESS = "rollout_in_progress"
    ROLLOUT_PAUSED = "rollout_paused"
    SCALED_TO_ZERO_BY_USER = "scaled_to_zero_by_user"
    UNSUPPORTED_MODE = "unsupported_mode"
    OWN_SERVICE = "own_service"
    AMBIGUOUS = "ambiguous"
    DRY_RUN = "dry_run"
    NOT_ACTOR = "not_actor"
    IN_FLIGHT = "in_flight"
    OUT_OF_SYNC = "out_of_sync"
    CONFLICT = "conflict"
    CAPACITY = "capacity"
    FLAPPING = "flapping"
    CRASH_LOOP = "crash_loop"
    PAUSED = "paused"
    WRITE_LIMIT = "write_limit"
    RESTART_LIMIT = "restart_limit"
    FOREIGN_CHANGES = "foreign_changes"
    BREAKER_OPEN = "breaker_open"
    QUIET_AFTER_DEPLOY = "quiet_after_deploy"
    RESTART_POLICY = "restart_policy"
    NO_ROLLBACK_TARGET = "no_rollback_target"
    ROLLED_BACK = "rolled_back"
    PARKED = "parked"
    NO_AGENT = "no_agent"
    POINTLESS = "pointless"
    ONE_AT_A_TIME = "one_at_a_time"
    QUORUM = "quorum"
    LAST_NODE = "last_node"

    @property
    def blocks(self) -> bool:
        """Whether this reason holds back something that would else be done or be judged."""
        return self in _BLOCKING


_BLOCKING = frozenset(
    {
        Reason.AT_MAX,
        Reason.STABILIZED,
        Reason.RATE_LIMITED,
        Reason.COOLDOWN,
        Reason.BUDGET,
        Reason.BACKOFF,
        Reason.MISSING_SAMPLES,
        Reason.MISSING_REQUEST,
        Reason.NOT_CONVERGED,
        Reason.ROLLOUT_IN_PROGRESS,
        Reason.ROLLOUT_PAUSED,
        Reason.SCALED_TO_ZERO_BY_USER,
        Reason.UNSUPPORTED_MODE,
        Reason.OWN_SERVICE,
        Reason.AMBIGUOUS,
        Reason.DRY_RUN,
        Reason.NOT_ACTOR,
        Reason.IN_FLIGHT,
        Reason.OUT_OF_SYNC,
        Reason.CONFLICT,
        Reason.CAPACITY,
        Reason.FLAPPING,
        Reason.CRASH_LOOP,
        Reason.PAUSED,
        Reason.WRITE_LIMIT,
        Reason.RESTART_LIMIT,
        Reason.FOREIGN_CHANGES,
        Reason.BREAKER_OPEN,
        Reason.QUIET_AFTER_DEPLOY,
        Reason.RESTART_POLICY,
        Reason.NO_ROLLBACK_TARGET,
        Reason.ROLLED_BACK,
        Reason.PARKED,
        Reason.NO_AGENT,
        Reason.POINTLESS,
        Reason.ONE_AT_A_TIME,
        Reason.QUORUM,
        Reason.LAST_NODE,
    }
)
