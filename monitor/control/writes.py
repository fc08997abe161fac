"""The writes in flight: at most one per service, and what became of each."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from monitor.act.permit import Permit
from monitor.act.writer import Writer
from monitor.control.flight import Flight, Landing
from monitor.model.action import Action, Park, ScaleTo, Unpark
from monitor.model.decision import Decision
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.view import ServiceView
from monitor.ports.clock import Clock

LOOK_AGAIN = 1.0
"""Seconds after which a service with a write on its way is looked at again without a hint."""

GIVEN_UP = "the agent was stopped during the write"


Intend = Callable[[Decision, ServiceView, Permit], Awaitable[str]]


def counts_alone(action: Action | None) -> bool:
    """Whether it changes replicas outside any rollout, so that none follows of it."""
    scales = isinstance(action, ScaleTo) and not action.during_rollout
    return scales or isinstance(action, Park | Unpark)


async def _nothing(decision: Decision, view: ServiceView, permit: Permit) -> str:
    return ""


class WritesInFlight:
    """Starts writes and keeps their services closed until the result was seen.

    on_end is called once per write when its outcome is known, and once more with APPLIED when
    a write whose answer was lost turns out to have been applied.
    on_count is called at most once per write, before on_end: it was applied, or may have been
    and somebody wrote after it, so that nobody can tell any more.
    on_settled is called once nothing is open any more of a write whose answer was lost.
    intend is awaited before anything is sent, with the view that was decided on and the permit;
    a sentence says why the write must not be sent, "" that it may.
    """

    def __init__(
        self,
        writer: Writer,
        clock: Clock,
        on_end: Callable[[Decision, Outcome], None],
        on_count: Callable[[Decision], None],
        *,
        on_settled: Callable[[Decision], None] = lambda _: None,
        intend: Intend = _nothing,
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._on_end = on_end
        self._on_count = on_count
        self._on_settled = on_settled
        self._intend = intend
        self._flights: dict[str, Flight] = {}
        self._failures: dict[str, int] = {}
        self._own_versions: dict[str, int] = {}

    def own_version(self, service_id: str) -> int | None:
        """The newest version of the service that is known to be our own change of replicas.

        A restart is a rollout: it starts in a later transaction, as after anybody's deploy. So
        does what is left of a rollout into which replicas were written.
        """
        return self._own_versions.get(service_id)

    def under_way(self) -> Iterator[Decision]:
        """Those that were sent, or may be, and are not seen to have taken effect yet."""
        for flight in self._flights.values():
            outcome = flight.outcome
            if outcome is None or outcome.kind in (OutcomeKind.APPLIED, OutcomeKind.UNKNOWN):
                yield flight.decision

    def learn_own(self, service_id: str, version: int) -> None:
        """A version that another agent's change of replicas, or an earlier run's, has made."""
        if version > self._own_versions.get(service_id, -1):
            self._own_versions[service_id] = version

    def closed_until(self, view: ServiceView, now: Now) -> float | None:
        """When to look at the service again if a write keeps it closed; None: it is open.

        Old facts tell nothing of a write, and nothing is done on them: where they are all there
        is, the write stays in flight and its service open, so that a reason is still given.
        """
        service_id = view.service.id
        flight = self._flights.get(service_id)
        if flight is None or not view.fresh:
            return None
        landing = flight.landing(view, now.mono)
        if landing is Landing.OPEN or now.mono < flight.retry_at:
            return max(now.mono + LOOK_AGAIN, flight.retry_at)
        del self._flights[service_id]
        if landing is Landing.OWN:
            self._failures.pop(service_id, None)
            if counts_alone(flight.decision.action):
                self._own_versions[service_id] = view.service.version
        if flight.outcome is not None and flight.outcome.kind is OutcomeKind.UNKNOWN:
            self._learn(flight.decision, flight.outcome, landing)
        return None

    def _learn(self, decision: Decision, outcome: Outcome, landing: Landing) -> None:
        """What is known now of a write whose answer was lost."""
        if landing is not Landing.NOT_APPLIED:
            self._on_count(decision)
        self._on_settled(decision)
        if landing is Landing.OWN:
            found = Outcome(OutcomeKind.APPLIED, "found applied", outcome.posted)
            self._on_end(decision, found)

    def start(
        self, group: asyncio.TaskGroup, decision: Decision, permit: Permit, view: ServiceView
    ) -> None:
        """Sends the decision's write as a task of `group`; its service is closed from now on."""
        flight = self._begin(decision)
        group.create_task(self._fly(flight, permit, view), name=f"write {decision.id}")

    async def carry_out(self, decision: Decision, permit: Permit, view: ServiceView) -> Outcome:
        """As `start`, for who waits for the outcome; its service is open when it is called.

        What was refused holds nobody back, neither rules nor a person's next try.
        """
        flight = self._begin(decision)
        await self._fly(flight, permit, view)
        assert flight.outcome is not None
        if flight.outcome.kind in (OutcomeKind.REFUSED, OutcomeKind.CONFLICT):
            self._drop_flight(decision.service_id)
        return flight.outcome

    def _drop_flight(self, service_id: str) -> None:
        """Nothing was sent, so nothing is awaited."""
        self._flights.pop(service_id, None)
        self._failures.pop(service_id, None)

    def _begin(self, decision: Decision) -> Flight:
        attempt = self._failures.get(decision.service_id, 0)
        flight = Flight(decision, decision.time.mono, attempt)
        self._flights[decision.service_id] = flight
        return flight

    async def _fly(self, flight: Flight, permit: Permit, view: ServiceView) -> None:
        outcome = Outcome(OutcomeKind.UNKNOWN, GIVEN_UP)
        try:
            why_not = await self._intend(flight.decision, view, permit)
            if why_not:
                outcome = Outcome(OutcomeKind.FAILED, why_not)
            else:
                outcome = await self._writer.write(flight.decision, permit)
        finally:
            flight.finish(outcome, self._clock.now().mono)
            service_id = flight.decision.service_id
            if flight.failed:
                self._failures[service_id] = flight.attempt + 1
            else:
                self._failures.pop(service_id, None)
            if outcome.kind is OutcomeKind.APPLIED:
                self._on_count(flight.decision)
            self._on_end(flight.decision, outcome)

    def forget(self, service_id: str) -> None:
        self._flights.pop(service_id, None)
        self._failures.pop(service_id, None)
        self._own_versions.pop(service_id, None)
