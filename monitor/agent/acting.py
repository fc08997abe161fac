"""Whether this agent may act: it holds the lease, knows what was before it, and agrees."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from monitor.model.peer import Peer, PeerState
from monitor.ports.actorship import Actorship
from monitor.ports.clock import Clock


class Ready(Protocol):
    def ready_for(self, term: int) -> str:
        """Why nothing may be written under this term yet, "" where it may."""


class Acting:
    """An Actorship on top of the lease.

    lease: says who acts. survival: what earlier actors left behind must be known first.
    disagreement: a sentence on which other manager's agent would act on other rules, "" if none.
    """

    def __init__(
        self, lease: Actorship, survival: Ready | None, disagreement: Callable[[], str]
    ) -> None:
        self._lease = lease
        self._survival = survival
        self._disagreement = disagreement

    def term(self) -> int | None:
        term = self._lease.term()
        return None if term is None or self._held_back(term) else term

    def why_not(self) -> str:
        term = self._lease.term()
        return self._lease.why_not() if term is None else self._held_back(term)

    def _held_back(self, term: int) -> str:
        not_ready = "" if self._survival is None else self._survival.ready_for(term)
        return not_ready or self._disagreement()


LOOK_EVERY = 0.5


class Agreement:
    """Called for `disagreement`; looks at the peers twice a second, however often it is called,
    and at once where this agent's own rules or settings are others than at the last look."""

    def __init__(
        self, clock: Clock, digest: Callable[[], str], peers: Callable[[], Mapping[str, Peer]]
    ) -> None:
        self._clock = clock
        self._digest = digest
        self._peers = peers
        self._looked_at = float("-inf")
        self._own = ""
        self._found = ""

    def __call__(self) -> str:
        now, own = self._clock.now().mono, self._digest()
        if own != self._own or now - self._looked_at >= LOOK_EVERY:
            self._looked_at, self._own = now, own
            self._found = disagreement(own, self._peers())
        return self._found


def disagreement(digest: str, peers: Mapping[str, Peer]) -> str:
    """Which managers' agents would decide by other rules or settings; "" where all agree.

    Two agents that decide differently would undo each other's work at every change of actor, so
    none of them acts until they agree. One that is not heard does not count: it cannot act
    without the lease.
    """
    others = sorted(
        peer.about.node_name or peer.node_id
        for peer in peers.values()
        if peer.state is PeerState.UP
        and peer.about is not None
        and peer.about.role == "manager"
        and peer.about.digest != digest
    )
    if not others:
        return ""
    return (
        f"{_and(others)} would decide by other rules or settings than this agent: nobody acts "
        "until they are the same (while agents are updated: until all managers' agents are)"
    )


def _and(names: Iterable[str]) -> str:
    agents = [f"the agent on {name}" for name in names]
    if len(agents) == 1:
        return agents[0]
    return f"{', '.join(agents[:-1])} and {agents[-1]}"
