"""How often a service may be restarted: a budget, and a back-off that doubles."""

from collections.abc import Sequence

from monitor.model.rule import Backoff, Budget


def budget_wait(budget: Budget, restarts: Sequence[float], now: float) -> float | None:
    """Seconds until the budget allows another restart; None where it does now.

    A restart counts while strictly younger than `budget.within` seconds.
    """
    recent = _recent(budget, restarts, now)
    if len(recent) < budget.count:
        return None
    if budget.count <= 0:
        return budget.within
    return recent[-budget.count] + budget.within - now


def backoff_wait(
    backoff: Backoff, budget: Budget, restarts: Sequence[float], now: float, in_vain: int = 0
) -> float | None:
    """Seconds until the back-off has passed since the last restart; None where it has.

    It doubles with every restart within the budget's window, and with every one in a row that
    did not help, however long ago. Worked example: initial 30 s, two restarts within the last
    hour: the third comes 60 s after the second at the earliest.
    """
    recent = _recent(budget, restarts, now)
    count = max(len(recent), in_vain)
    if not count or not restarts:
        return None
    doublings = min(count - 1, 30)
    wait = max(restarts) + min(backoff.initial * 2**doublings, backoff.max) - now
    return wait if wait > 0 else None


def _recent(budget: Budget, restarts: Sequence[float], now: float) -> list[float]:
    return sorted(at for at in restarts if at > now - budget.within)
