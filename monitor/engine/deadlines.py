"""How long each kind of Engine call may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds. A manager gives up on the raft leader after 20 s, so `swarm` lies above that.

    config: of the calls about configs; a lease that is kept in one cannot wait for 20 s.
    """

    swarm: float = 30.0
    local: float = 10.0
    config: float = 5.0
    ping: float = 2.0
