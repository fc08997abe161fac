"""A node of the Swarm as a manager reports it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class NodeState(StrEnum):
    UNKNOWN = "unknown"
    DOWN = "down"
    READY = "ready"
    DISCONNECTED = "disconnected"


class Availability(StrEnum):
    ACTIVE = "active"
    PAUSE = "pause"
    DRAIN = "drain"


@dataclass(frozen=True, slots=True)
class Node:
    """`cpu_cores` in cores, `memory_bytes` in bytes; `reachability` is None on workers."""

    id: str
    name: str
    role: str
    state: NodeState
    availability: Availability
    version: int
    leader: bool = False
    reachability: str | None = None
    addr: str = ""
    engine_version: str = ""
    os: str = ""
    arch: str = ""
    cpu_cores: float = 0.0
    memory_bytes: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def lost(self) -> bool:
        """Whether tasks on this node must be taken out of `running`.

        Only `down` does: every raft election sets nodes to `unknown` for a moment.
        """
        return self.state is NodeState.DOWN


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node with its raw `Spec`, which must be written back whole."""

    node: Node
    spec: Mapping[str, Any]
