"""What the whole Swarm has to bear at most: writes in a minute, and tasks restarted at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.control.ceiling import NoRoom, WriteCeiling
from monitor.control.restarts import RestartsAtOnce, Turn
from monitor.decide import rollout_guard
from monitor.model.action import Action
from monitor.model.decision import Decision
from monitor.model.now import Now
from monitor.model.outcome import Outcome
from monitor.model.reason import Reason
from monitor.model.view import ServiceView


@dataclass(frozen=True, slots=True)
class Limits:
    """Both at once, as control meets them: a look, a decision, a write, its end."""

    ceiling: WriteCeiling
    restarts: RestartsAtOnce

    def look(
        self, view: ServiceView, own_version: int | None, now: Now
    ) -> tuple[Turn, NoRoom | None]:
        """What the service has to wait for; it has no write on its way. own_version: its newest
        version that is our own change of replicas."""
        rolling = rollout_guard(view, own_version, now) is not None
        self.restarts.seen(view, rolling=rolling)
        turn = self.restarts.turn(view.service, now.mono)
        return turn, self.ceiling.room(view.service.id, now.mono)

    def stand(self, service_id: str, held: Mapping[Reason, Action | None], turn: Turn) -> None:
        """held: what its rules wanted to do, by the reasons that their decisions have."""
        self.ceiling.stand(service_id, waits=Reason.WRITE_LIMIT in held)
        self.restarts.stand(service_id, turn.weight(held.get(Reason.RESTART_LIMIT)))

    def start(self, decision: Decision, turn: Turn, now: float) -> None:
        """The decision's write is about to be sent; monotonic seconds."""
        self.ceiling.start(decision.service_id, decision.id)
        self.restarts.start(decision.service_id, turn.weight(decision.action), now)

    def end(self, decision: Decision, outcome: Outcome, now: float) -> None:
        self.ceiling.end(decision.id, outcome, now)
        self.restarts.end(decision, outcome.kind)

    def leave(self, service_id: str) -> None:
        """It is gone, or no rule is about it: its turn will not come."""
        self.ceiling.leave(service_id)
        self.restarts.forget(service_id)
