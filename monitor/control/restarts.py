"""How many tasks are being restarted at once in the whole Swarm, and whose turn is next."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field

from monitor.model.action import Action, ForceUpdate, RestartTask
from monitor.model.decision import Decision
from monitor.model.outcome import OutcomeKind
from monitor.model.service import Service
from monitor.model.view import ServiceView

DEFAULT_RESTARTS_AT_ONCE = 5
GIVEN_UP_AFTER = 600.0
"""Seconds after which a task that does not come up again holds nobody back any more."""

TURN = 2.0
"""Seconds after which a service that waits is looked at again."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one service has to wait for. All counts are of tasks.

    under_way: being restarted in the whole Swarm. ahead: of services that have waited longer.
    parallel: of this service an update replaces at once.
    """

    most: int = DEFAULT_RESTARTS_AT_ONCE
    under_way: int = 0
    ahead: int = 0
    parallel: int = 1

    def weight(self, action: Action | None) -> int:
        """How many tasks the action restarts at once."""
        match action:
            case RestartTask():
                return 1
            case ForceUpdate():
                return self.parallel
            case _:
                return 0

    def full(self, action: Action | None) -> bool:
        """Whether the action has to wait. One that is larger than all there is goes alone."""
        weight, before = self.weight(action), self.under_way + self.ahead
        return bool(weight and before) and before + weight > self.most


@dataclass(slots=True)
class RestartsAtOnce:
    """Tasks that rules restart or move count from when that is admitted until their service was
    seen with all of its tasks running and no rollout; monotonic seconds.

    Who found no room waits in a line, first come first served. services: the ids of those there
    are; what is known of others counts for nothing.
    """

    most: int
    services: Callable[[], Container[str]]
    _under_way: dict[str, tuple[int, float]] = field(default_factory=dict)
    _line: dict[str, int] = field(default_factory=dict)

    def turn(self, service: Service, now: float) -> Turn:
        ahead = 0
        for waiting, weight in self._line.items():
            if waiting == service.id:
                break
            ahead += weight
        return Turn(self.most, self.under_way(now), ahead, _parallel(service))

    def under_way(self, now: float) -> int:
        """Tasks that are being restarted."""
        over = [one for one, (_, at) in self._under_way.items() if now - at >= GIVEN_UP_AFTER]
        for service_id in over:
            del self._under_way[service_id]
        there = self.services()
        return sum(count for one, (count, _) in self._under_way.items() if one in there)

    @property
    def waiting(self) -> int:
        """Services in the line."""
        return len(self._line)

    def stand(self, service_id: str, weight: int) -> None:
        """It waits to restart so many tasks, with the place in the line that it has; or, 0, it
        does not."""
        if weight:
            self._line[service_id] = weight
        else:
            self._line.pop(service_id, None)

    def start(self, service_id: str, weight: int, now: float) -> None:
        """So many of its tasks are about to be restarted."""
        self._line.pop(service_id, None)
        if weight:
            known, _ = self._under_way.get(service_id, (0, now))
            self._under_way[service_id] = (known + weight, now)

    def end(self, decision: Decision, kind: OutcomeKind) -> None:
        """What was refused before anything was sent counts no more."""
        sent = kind in (OutcomeKind.APPLIED, OutcomeKind.UNKNOWN)
        known = self._under_way.get(decision.service_id)
        if known is None or sent or not isinstance(decision.action, RestartTask | ForceUpdate):
            return
        one = 1 if isinstance(decision.action, RestartTask) else known[0]
        self._keep(decision.service_id, known[0] - one)

    def seen(self, view: ServiceView, *, rolling: bool) -> None:
        """How it stands with a service of which no write is on its way; rolling: or it is not
        known, or its update is paused."""
        if not rolling and view.service.id in self._under_way:
            known, _ = self._under_way[view.service.id]
            self._keep(view.service.id, min(known, view.desired - len(view.running_tasks)))

    def take_over(self, restarted: Mapping[str, float], now: float) -> None:
        """When rules of an agent before this one restarted something of services, by their ids:
        whether that is over shows with the next look at them."""
        for service_id, at in restarted.items():
            if now - at < GIVEN_UP_AFTER:
                self._under_way.setdefault(service_id, (1, at))

    def forget(self, service_id: str) -> None:
        """The service is gone, or no rule is about it."""
        self._line.pop(service_id, None)
        self._under_way.pop(service_id, None)

    def _keep(self, service_id: str, count: int) -> None:
        known = self._under_way.pop(service_id, None)
        if known is not None and count > 0:
            self._under_way[service_id] = (count, known[1])


def _parallel(service: Service) -> int:
    """Tasks that an update replaces at once: all of them where it is 0, and without settings."""
    config = (service.raw.get("Spec") or {}).get("UpdateConfig")
    stated = 1 if config is None else int(config.get("Parallelism") or 0)
    return min(stated or _ALL, service.replicas or _ALL)


_ALL = 1_000_000
