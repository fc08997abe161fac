"""What may hold back a decision that wants to act, besides the service itself.

In this order, one reason each: paused, dry run, not the actor, another write of the service,
the limit of restarts at once, the ceiling of writes. (Two rules that claim one service were told so
before they decided.)
"""

from dataclasses import dataclass, replace

from monitor.control.ceiling import NoRoom
from monitor.control.pauses import Pauses
from monitor.control.restarts import TURN, Turn
from monitor.model.action import (
    ForceUpdate,
    Notify,
    Park,
    RestartTask,
    Rollback,
    ScaleTo,
    SetAvailability,
    Unpark,
)
from monitor.model.decision import Decision
from monitor.model.now import Now
from monitor.model.pause import Pause
from monitor.model.reason import Reason
from monitor.model.rule import AnyRule, NodeRule, RuleMode

_NOW = Now(0.0, 0.0)
_NO_PAUSES = Pauses()
_NOBODY_WAITS = Turn()


@dataclass(frozen=True, slots=True)
class Gates:
    """dry_run: the whole agent's setting. term: of the actorship, None if not acting.

    no_room: of the ceiling of writes for this service; None: it may be written to. turn: what its
    restarts have to wait for.
    """

    dry_run: bool
    term: int | None
    why_not_actor: str = ""
    now: Now = _NOW
    pauses: Pauses = _NO_PAUSES
    no_room: NoRoom | None = None
    turn: Turn = _NOBODY_WAITS

    def admit(self, decision: Decision, rule: AnyRule | NodeRule, write_is_due: bool) -> Decision:
        """The decision as it is, or without its action and with the reason that holds it back.

        write_is_due: another write of the same service was admitted just now and goes first.
        """
        if decision.action is None:
            return decision
        pause = self.pauses.on(decision.service_name, rule.name, self.now)
        if pause is not None:
            return self._paused(decision, pause)
        if rule.mode is RuleMode.DRY_RUN:
            why, change = f"rule {rule.name} is on dry run", "the rule's mode is act"
            return hold(decision, Reason.DRY_RUN, why, change)
        if self.dry_run:
            why, change = "the agent runs with --dry-run", "the agent runs without --dry-run"
            return hold(decision, Reason.DRY_RUN, why, change)
        if self.term is None:
            return hold(decision, Reason.NOT_ACTOR, self.why_not_actor, "this agent acts")
        if write_is_due:
            why, change = "another write of this service goes first", "that write has ended"
            return hold(decision, Reason.IN_FLIGHT, why, change)
        if self.turn.full(decision.action):
            return self._queue(decision)
        if self.no_room is not None:
            return self._wait(decision, self.no_room)
        return decision

    def _paused(self, decision: Decision, pause: Pause) -> Decision:
        change = "somebody resumes it" if pause.until is None else "the pause ends or is lifted"
        left = None if pause.until is None else pause.until - self.now.wall
        return hold(decision, Reason.PAUSED, pause.sentence, change, left)

    def _queue(self, decision: Decision) -> Decision:
        turn = self.turn
        ahead = f" and {turn.ahead} waited for before" if turn.ahead else ""
        why = (
            f"of at most {turn.most} tasks restarted at once in the whole Swarm {turn.under_way} "
            f"are under way{ahead}; it waits for its turn"
        )
        change = "fewer tasks are being restarted (--max-restarts-at-once)"
        return hold(decision, Reason.RESTART_LIMIT, why, change, TURN)

    def _wait(self, decision: Decision, no_room: NoRoom) -> Decision:
        count = no_room.per_minute
        writes = "1 write" if count == 1 else f"{count} writes"
        why = f"the Swarm has had its {writes} of this minute; it waits for its turn"
        change = "there is room under --max-writes-per-minute"
        return hold(decision, Reason.WRITE_LIMIT, why, change, no_room.until - self.now.mono)


def hold(
    decision: Decision,
    reason: Reason,
    why: str,
    would_change: str = "",
    recheck_after: float | None = None,
) -> Decision:
    """recheck_after: seconds after which it may be let through; None: time alone lifts nothing."""
    match decision.action:
        case ScaleTo(replicas):
            wish = f"would scale from {decision.current} to {replicas} replicas, but "
        case ForceUpdate():
            wish = "would restart all tasks, but "
        case RestartTask(place=place, move=move):
            wish = f"would {'move' if move else 'restart'} task {place[:12]}, but "
        case Rollback():
            wish = "would be rolled back, but "
        case Park():
            wish = "would be parked, but "
        case Unpark(replicas):
            wish = f"would be unparked to {replicas} replicas, but "
        case Notify():
            wish = "would be told of, but "
        case SetAvailability(availability=availability):
            wish = f"would be set to {availability}, but "
        case None:
            wish = ""
    soonest = [s for s in (decision.recheck_after, recheck_after) if s is not None]
    return replace(
        decision,
        action=None,
        reason=reason,
        sentence=f"{decision.service_name or decision.node_name}: {wish}{why}",
        binding=str(reason),
        would_change=would_change,
        trial=False,
        handles=(),
        recheck_after=min(soonest, default=None),
    )
