"""What is remembered between decisions. Nothing here changes a history; each returns a new one."""

from collections.abc import Sequence
from dataclasses import replace

from monitor.decide.course import record_action
from monitor.decide.notice import notice
from monitor.model.action import ScaleTo
from monitor.model.decision import Decision
from monitor.model.history import History, Recommendation, ScaleEvent
from monitor.model.now import Now
from monitor.model.reason import Reason

LONGEST_WINDOW = 3600.0  # seconds: no stabilization window or period of a rate is longer
ABSENT = 10.0  # seconds without a decision after which nobody looked on in between
RESTORED_WITHIN = 3600.0  # seconds for which it counts that a deploy's reset was put right


def remember(history: History, decision: Decision) -> History:
    """After every decision, whether it acted or not.

    The first one of a readable service also records the size that was found as a
    recommendation: so a restarted agent scales nothing down within its first window. A service
    that comes back from a person's zero begins anew in the same way.
    """
    if decision.reason is Reason.OUT_OF_SYNC:
        return history
    history = notice(history, decision.seen)
    if decision.reason is Reason.SCALED_TO_ZERO_BY_USER:
        return replace(
            history, started=False, judged_at=None, recommendations=(), failing_since=None
        )
    now = decision.time.mono
    since = history.failing_since
    past = known_recommendations(history, decision.current, now)
    if decision.recommendation is not None:
        past = with_recommendation(past, decision.recommendation, now)
    return replace(
        history,
        started=history.started or decision.current is not None,
        judged_at=now,
        recommendations=tuple(rec for rec in past if rec.at > now - LONGEST_WINDOW),
        holding=decision.holding,
        failing_since=(now if since is None else since) if decision.failing else None,
        course=history.course if decision.course is None else decision.course,
    )


def after_absence(history: History, now: float) -> History:
    """Before a decision of an agent that may have been frozen or out of touch: with a hole in what
    it saw, its windows begin with the size that is found, as those of an agent that begins.

    What was recommended before the hole still counts; `now` in monotonic seconds.
    """
    last = history.judged_at
    looked_on = last is None or now - last <= ABSENT
    return history if looked_on else replace(history, started=False)


def known_recommendations(
    history: History, current: int | None, now: float
) -> tuple[Recommendation, ...]:
    """The past as a decision sees it, the initial size included."""
    if history.started or current is None:
        return history.recommendations
    return with_recommendation(history.recommendations, current, now)


def with_recommendation(
    past: Sequence[Recommendation], replicas: int, now: float
) -> tuple[Recommendation, ...]:
    """Adds one and drops what can never be the highest or lowest of any window again.

    A recommendation matters while no later one is at least as high, or none at least as low.
    What is left is at most two per replica count, however long the window; a repeated
    recommendation is only renewed.
    """
    kept: list[Recommendation] = []
    newest = Recommendation(now, replicas)
    high = low = replicas
    for rec in reversed(past):
        if rec.replicas > high or rec.replicas < low:
            kept.append(rec)
        high, low = max(high, rec.replicas), min(low, rec.replicas)
    kept.reverse()
    return (*kept, newest)


def with_event(
    events: Sequence[ScaleEvent], change: int, now: float, longest: float
) -> tuple[ScaleEvent, ...]:
    """Adds a change and drops those that no period of up to `longest` seconds counts.

    With `longest` zero nothing is ever counted, and nothing is recorded.
    """
    if longest <= 0:
        return tuple(events)
    recent = (event for event in events if event.at > now - longest)
    return (*recent, ScaleEvent(now, change))


def recently(restored: Sequence[float], now: float) -> tuple[float, ...]:
    return tuple(at for at in restored if at > now - RESTORED_WITHIN)


def record_write(history: History, decision: Decision, now: Now) -> History:
    """After a write that was applied, or that may have been: it is counted either way."""
    match decision.action:
        case ScaleTo(replicas=replicas):
            change = replicas - (decision.current or 0)
            restores = decision.reason is Reason.DEPLOY_RESET
            return replace(
                history,
                events=with_event(history.events, change, now.mono, LONGEST_WINDOW),
                scaled_to_zero_by_us=replicas == 0,
                zero_by_user=False,
                set_by_us=replicas,
                reset=False,
                restored=(
                    *recently(history.restored, now.mono),
                    *((now.mono,) if restores else ()),
                ),
                seen=None if decision.seen is None else replace(decision.seen, replicas=replicas),
            )
        case None:
            return history
        case _:
            return record_action(history, decision, now)


def record_version(history: History, version: int) -> History:
    """Once the version of an own write is known: from now on it is no foreign change."""
    return replace(history, own_version=version)
