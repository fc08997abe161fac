"""A write on its way: its service stays closed until what became of it is seen."""

from dataclasses import dataclass
from enum import Enum

from monitor.model.action import Notify, RestartTask
from monitor.model.decision import Decision
from monitor.model.fingerprint import fingerprint
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.task import TaskState
from monitor.model.view import ServiceView

LANDING_DEADLINE = 30.0
"""Seconds after which a write that was never seen is given up: one re-list has passed by then."""

RETRY_FIRST, RETRY_MAX = 2.0, 60.0
"""Seconds before a failed write of a service is decided anew, doubling."""


class Landing(Enum):
    OPEN = "open"  # still under way, or not seen yet
    OWN = "own"  # the first version above the decided one is our own
    FOREIGN = "foreign"  # somebody wrote after us, or in our place
    NOT_APPLIED = "not applied"  # the version is still the one that was decided on


@dataclass(slots=True)
class Flight:
    """Monotonic seconds. `attempt` counts failures in a row on this service, from 0."""

    decision: Decision
    started: float
    attempt: int = 0
    outcome: Outcome | None = None
    finished: float = 0.0

    def finish(self, outcome: Outcome, now: float) -> None:
        self.outcome = outcome
        self.finished = now

    @property
    def failed(self) -> bool:
        return self.outcome is not None and self.outcome.kind in (
            OutcomeKind.FAILED,
            OutcomeKind.REFUSED,
            OutcomeKind.UNKNOWN,
        )

    @property
    def retry_at(self) -> float:
        """When the service may be decided anew: at once unless writing to it fails."""
        if not self.failed:
            return self.finished
        return self.finished + min(RETRY_FIRST * 2.0**self.attempt, RETRY_MAX)

    def landing(self, view: ServiceView, now: float) -> Landing:
        """Where the write is, as this view of its service shows.

        An update's answer carries no version, so the own write is recognised as the first
        version above the decided one whose spec equals what was posted.
        """
        if self.outcome is None:
            return Landing.OPEN
        may_have_applied = self.outcome.kind in (OutcomeKind.APPLIED, OutcomeKind.UNKNOWN)
        read_since = view.fresh and view.tasks_read_at >= self.finished
        action = self.decision.action
        if isinstance(action, Notify):
            return Landing.OWN  # there is nothing of it to be seen
        if isinstance(action, RestartTask):
            if may_have_applied and read_since and not _runs(view, action.task_id):
                return Landing.OWN
        elif may_have_applied and view.service.version > self.decision.version:
            spec = view.service.raw.get("Spec")
            return Landing.OWN if fingerprint(spec) == self.outcome.posted else Landing.FOREIGN
        stops = isinstance(action, RestartTask) and may_have_applied
        if self.outcome.kind is not OutcomeKind.APPLIED and read_since and not stops:
            return Landing.NOT_APPLIED
        # Reads may lag behind an applied write, so an equal version proves nothing for a while; nor
        # does a task that still runs, which has its grace period to stop.
        return Landing.NOT_APPLIED if now - self.finished > LANDING_DEADLINE else Landing.OPEN


def _runs(view: ServiceView, task_id: str) -> bool:
    return any(
        task.id == task_id and task.live and task.state is TaskState.RUNNING for task in view.tasks
    )
