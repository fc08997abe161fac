"""What rules that do not scale remember from one decision to the next."""

from collections.abc import Iterable
from dataclasses import replace

from monitor.decide import breaker
from monitor.decide.holding import Entries
from monitor.model.action import (
    ForceUpdate,
    Notify,
    Park,
    RestartTask,
    Rollback,
    SetAvailability,
    Unpark,
)
from monitor.model.decision import Decision
from monitor.model.history import Course, Deploy, History
from monitor.model.node import Availability
from monitor.model.now import Now
from monitor.model.service import Service

MAX_RESTARTS = 1000  # no budget can ask for more
MOVES = "moves"
"""Name of the stage that says how many moves are needed."""


def with_deploy(course: Course, service: Service, now: float) -> Course:
    """With the deploy that the service shows. The first look proves nothing about its age.

    What comes of a rollback of ours is what was there before the deploy: it is not rolled back.
    A parked service that has replicas again is parked no more.
    """
    known, spec = course.deploy, service.deployed
    if known is None:
        course = replace(course, deploy=Deploy(spec))
    elif known.spec != spec:
        back = known.rolled_back if known.rolled_back == known.spec else ""
        course = replace(course, deploy=Deploy(spec, now, back))
    newer = service.version > course.acted_version
    if course.parked is not None and service.replicas and newer:
        course = replace(course, parked=None)
    return course


def with_handled(course: Course, entries: Iterable[Entries], keys: Iterable[str]) -> Course:
    """keys: of the rule's conditions now; what others were dealt with is forgotten."""
    known = dict(course.handled) | {key: at for one in entries for key, at in one}
    kept = set(keys)
    handled = tuple(sorted((key, at) for key, at in known.items() if key in kept))
    return course if handled == course.handled else replace(course, handled=handled)


def since_deploy(course: Course) -> float | None:
    """Monotonic time of the newest deploy that was seen to come, None where none was."""
    return None if course.deploy is None else course.deploy.at


def record_action(history: History, decision: Decision, now: Now) -> History:
    """After an action other than scaling was carried out, or may have been.

    What is taken back (a drain, a parking) is no action that a budget counts.
    """
    action = decision.action
    course = _dealt_with(history.course, decision.handles, now)
    course = _acted(course, decision, now.mono)
    taken_back = isinstance(action, Unpark) or (
        isinstance(action, SetAvailability) and action.availability is not Availability.DRAIN
    )
    if taken_back:
        return replace(history, course=course)
    restarts = (*history.restarts, now.mono)[-MAX_RESTARTS:]
    holding: Entries = ()
    if isinstance(action, Notify):
        holding = history.holding
    elif isinstance(action, RestartTask):
        holding = tuple(one for one in history.holding if f"|{action.task_id}" not in one[0])
    return replace(history, restarts=restarts, holding=holding, course=course)


def _dealt_with(course: Course, keys: Iterable[str], now: Now) -> Course:
    handled = dict(course.handled)
    for key in keys:
        handled[key] = now.wall if key.startswith("cron ") else now.mono
    return replace(course, handled=tuple(sorted(handled.items())))


def _acted(course: Course, decision: Decision, now: float) -> Course:
    match decision.action:
        case ForceUpdate() if decision.trial:
            return replace(course, breaker=breaker.tried(course.breaker, breaker.WHOLE, now))
        case RestartTask(move=True):
            return replace(course, moves_needed=_moves(decision))
        case RestartTask(place=place) if decision.trial:
            return replace(course, breaker=breaker.tried(course.breaker, place, now))
        case Rollback() if course.deploy is not None:
            deploy = replace(course.deploy, rolled_back=course.deploy.spec)
            return replace(course, deploy=deploy)
        case Park(replicas=replicas):
            return replace(course, parked=replicas, acted_version=decision.version)
        case Unpark():
            return replace(course, parked=None)
        case SetAvailability(availability=availability, for_seconds=seconds):
            drained = availability is Availability.DRAIN
            until = now + seconds if drained else None
            return replace(course, drained_until=until, acted_version=decision.version)
        case _:
            return course


def _moves(decision: Decision) -> int | None:
    found = next((one.value for one in decision.stages if one.name == MOVES), None)
    return None if found is None else int(found)
