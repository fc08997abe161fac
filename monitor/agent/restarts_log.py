"""Which services rules restarted, and when that was over."""

from monitor.model.action import ForceUpdate, RestartTask
from monitor.model.decision import Decision
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.view import ServiceView

SETTLING = 2.0
"""Seconds after a restart before which a service that looks whole has not begun it."""


class RestartsLog:
    """Monotonic seconds."""

    def __init__(self) -> None:
        self._under_way: dict[str, float] = {}
        self._over: dict[str, float] = {}

    def wrote(self, decision: Decision, outcome: Outcome, now: Now) -> None:
        applied = outcome.kind is OutcomeKind.APPLIED
        if applied and isinstance(decision.action, ForceUpdate | RestartTask):
            self._under_way[decision.service_name] = now.mono

    def names(self) -> tuple[str, ...]:
        """Services whose restart is under way."""
        return tuple(self._under_way)

    def look(self, name: str, view: ServiceView | None, now: float) -> None:
        """Takes note of whether a service is whole again; None: it is gone."""
        began = self._under_way.get(name)
        if began is None:
            return
        if view is None:
            del self._under_way[name]
        elif view.fresh and view.tasks_read_at > began + SETTLING and _whole(view):
            del self._under_way[name]
            self._over[name] = now

    def over(self) -> dict[str, float]:
        return dict(self._over)


def _whole(view: ServiceView) -> bool:
    current = all(task.template == view.service.template for task in view.live_tasks)
    return current and len(view.running_tasks) >= view.desired
