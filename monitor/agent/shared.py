"""What an agent is given to be one of a fleet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitor.model.peer import Peer


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What makes the agents of a Swarm act as one.

    boot_id: another one for each start of an agent. digest: of all that decides what it would
    do. peers: the other nodes' agents as they are heard.
    """

    boot_id: str
    digest: Callable[[], str] = lambda: ""
    peers: Callable[[], Mapping[str, Peer]] = dict
