"""When a service must be left alone: while it is being rolled out, and while facts are old.

A deploy first sets the update status to nothing; `updating` comes in a later transaction of
the Swarm. Nothing is therefore no proof that no rollout has begun: right after somebody else's
change of a service it takes a status, or all tasks on the new template, and two seconds.
"""

from monitor.decide import words
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.service import UpdateState
from monitor.model.view import ServiceView

SETTLING = 2.0  # seconds between a foreign change and the earliest write

NEAR_ROLLOUT = 10.0
"""Seconds after a rollout in which no single task is stopped: one that ends within the monitor
time of an update would count as its failure."""

_ROLLING = frozenset({UpdateState.UPDATING, UpdateState.ROLLBACK_STARTED})
_PAUSED = frozenset({UpdateState.PAUSED, UpdateState.ROLLBACK_PAUSED})


def rollout_guard(view: ServiceView, own_version: int | None, now: Now) -> Reason | None:
    """Why nothing may be written to this service now; None where nothing stands against it.

    `own_version`: the newest version of the service that is our own write, None if none is.
    """
    if not view.fresh:
        return Reason.OUT_OF_SYNC
    state = view.service.update_state
    if state in _ROLLING:
        return Reason.ROLLOUT_IN_PROGRESS
    if state in _PAUSED:
        return Reason.ROLLOUT_PAUSED
    if view.service.version != own_version and not _settled(view, now):
        return Reason.ROLLOUT_IN_PROGRESS
    return None


def guard_recheck(view: ServiceView, own_version: int | None, now: Now) -> float | None:
    """Seconds until time alone may lift the guard; None where only new facts can."""
    if rollout_guard(view, own_version, now) is not Reason.ROLLOUT_IN_PROGRESS:
        return None
    if view.service.update_state in _ROLLING:
        return None
    rest = view.version_since + SETTLING - now.mono
    return rest if rest > 0 else None


def near_rollout(view: ServiceView, now: Now) -> float | None:
    """Seconds for which no single task may be stopped, so soon after a rollout; None: it may."""
    ended = view.service.update_completed_at
    wait = -1.0 if ended is None else ended + NEAR_ROLLOUT - now.wall
    return wait if 0 < wait <= NEAR_ROLLOUT else None


def guard_sentence(view: ServiceView, reason: Reason, now: Now) -> str:
    """What is going on and what will end it; a clause that follows the service's name."""
    service = view.service
    if reason is Reason.OUT_OF_SYNC:
        return (
            "is left alone: no manager answers, so what is known may be old; "
            "ends with the next answer"
        )
    match service.update_state:
        case UpdateState.UPDATING:
            return "is left alone: an update is rolling out; ends when the update completes"
        case UpdateState.ROLLBACK_STARTED:
            return "is left alone: an update is being rolled back; ends when the rollback completes"
        case UpdateState.PAUSED:
            return _paused("its update is paused", view)
        case UpdateState.ROLLBACK_PAUSED:
            return _paused("its rollback is paused", view)
        case _:
            age = words.duration(now.mono - view.version_since)
            return (
                f"is left alone: it was changed {age} ago and a rollout may be about to begin; "
                f"ends {SETTLING:.0f} s after the change, once all tasks run the new specification "
                "or the rollout is over"
            )


def guard_end(view: ServiceView, reason: Reason) -> str:
    """What ends the guard, as a clause that may stand by itself."""
    if reason is Reason.OUT_OF_SYNC:
        return "a manager answers"
    match view.service.update_state:
        case UpdateState.UPDATING:
            return "the update completes"
        case UpdateState.ROLLBACK_STARTED:
            return "the rollback completes"
        case UpdateState.PAUSED | UpdateState.ROLLBACK_PAUSED:
            return "somebody updates or rolls back the service"
        case _:
            return "all tasks run the new specification, or the rollout is over"


def _paused(what: str, view: ServiceView) -> str:
    because = f" ({view.service.update_message})" if view.service.update_message else ""
    return f"is left alone: {what}{because}; ends when somebody updates or rolls back the service"


def _settled(view: ServiceView, now: Now) -> bool:
    if now.mono - view.version_since < SETTLING:
        return False
    return view.service.update_state is not None or _all_on_template(view)


def _all_on_template(view: ServiceView) -> bool:
    """Only tasks read after the change was seen can tell."""
    return view.tasks_read_at >= view.version_since and all(
        task.template == view.service.template for task in view.live_tasks
    )
