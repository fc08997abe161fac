"""Whether this agent may take the lease, or keep it."""

from monitor.agent.identity import Identity
from monitor.cluster.mirror import Mirror
from monitor.ports.clock import Clock

OUT_OF_TOUCH = 5.0
"""Seconds without the Swarm after which a holder gives up: another one may see more."""


class MayHold:
    """Called for "", or for a sentence why not; asked at least once a second.

    Only a manager's agent that sees the whole Swarm can act. One that just started waits for its
    first list, so that it does not take what it cannot use.
    """

    def __init__(self, identity: Identity, mirror: Mirror, clock: Clock) -> None:
        self._identity = identity
        self._mirror = mirror
        self._clock = clock
        self._in_touch_at = float("-inf")

    def __call__(self) -> str:
        now = self._clock.now().mono
        if self._mirror.fresh:
            self._in_touch_at = now
        if self._identity.role != "manager":
            return "Only a manager's agent can act; this node is not a manager."
        if now - self._in_touch_at > OUT_OF_TOUCH:
            why = self._mirror.why or "its nodes, services and tasks were not read yet"
            return f"This agent is not in touch with the Swarm: {why}."
        return ""
