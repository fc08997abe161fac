"""Reasons that hold a rule back until somebody does something: worth one line when they last."""

from dataclasses import dataclass, field

from monitor.model.decision import Decision
from monitor.model.reason import Reason

PATIENCE = {
    Reason.AMBIGUOUS: 0.0,
    Reason.MISSING_REQUEST: 0.0,
    Reason.MISSING_SAMPLES: 30.0,  # every start and every replaced task lacks samples for a moment
    Reason.ROLLOUT_PAUSED: 0.0,
    Reason.UNSUPPORTED_MODE: 0.0,
    Reason.OWN_SERVICE: 0.0,
    Reason.BUDGET: 0.0,
    Reason.SCALED_TO_ZERO_BY_USER: 0.0,
    Reason.CAPACITY: 10.0,  # a full Swarm; the moment until a node is free again is none
    Reason.CRASH_LOOP: 0.0,
    Reason.FLAPPING: 0.0,
    Reason.FOREIGN_CHANGES: 0.0,
    Reason.QUORUM: 30.0,  # a manager that is restarted is back by then
    Reason.LAST_NODE: 30.0,
}
"""Seconds for which a reason must hold before it is told of."""


@dataclass(slots=True)
class _Hindrance:
    reason: Reason
    since: float
    told: bool = False


@dataclass(slots=True)
class Hindrances:
    """By rule and service or node; a reason that ends and comes back is told again."""

    _present: dict[tuple[str, str], _Hindrance] = field(default_factory=dict)

    def lasting(self, decision: Decision) -> bool:
        """Whether this decision is the first to show that its hindrance lasts."""
        key = (decision.rule, decision.subject_name)
        now = decision.time.mono
        patience = PATIENCE.get(decision.reason)
        if patience is None:
            self._present.pop(key, None)
            return False
        present = self._present.get(key)
        if present is None or present.reason is not decision.reason:
            present = self._present[key] = _Hindrance(decision.reason, now)
        if present.told or now - present.since < patience:
            return False
        present.told = True
        return True

    def forget(self, rule: str, service_name: str) -> None:
        self._present.pop((rule, service_name), None)
