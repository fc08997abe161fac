"""What the web room asks of the agent: plain values, from memory, at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from monitor.model.decision import Decision


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """`tasks` counts running ones; `state` and `availability` as the Engine API spells them."""

    id: str
    name: str
    role: str
    state: str
    availability: str
    leader: bool = False
    tasks: int = 0
    engine_version: str = ""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """`rules` are the names of those that select the service; CPU in cores, memory in bytes.

    cpu, memory: the mean of its tasks' newest samples, None where there is none.
    """

    id: str
    name: str
    mode: str
    desired: int
    running: int
    stack: str = ""
    image: str = ""
    update_state: str | None = None
    rules: tuple[str, ...] = ()
    cpu: float | None = None
    memory: float | None = None
    last_decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """`problems` of this rule or its file, one sentence each."""

    name: str
    kind: str
    mode: str
    source: str = ""
    services: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """`ready` and `acting` as this agent knows; `message` says why not, if not."""

    node_id: str
    node_name: str
    role: str
    version: str
    ready: bool
    acting: bool
    fresh: bool = True
    message: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """`actor` is the name of the node whose agent acts, None if none does.

    problems: what is wrong with the rule files, as `file:line:col: message`.
    """

    nodes: tuple[NodeStatus, ...] = ()
    services: tuple[ServiceStatus, ...] = ()
    rules: tuple[RuleStatus, ...] = ()
    agents: tuple[AgentStatus, ...] = ()
    actor: str | None = None
    problems: tuple[str, ...] = field(default=())


class WebState(Protocol):
    async def metrics(self, *, openmetrics: bool, names: frozenset[str]) -> bytes:
        """The whole exposition; never asks the Engine."""

    def not_ready(self) -> str | None:
        """One sentence on why this agent does not know its Swarm, None if it does.

        A worker's agent is ready when its Engine answers.
        """

    def status(self) -> Status: ...

    def service_names(self) -> Sequence[str]:
        """Services that this agent knows; none on workers."""

    def decisions(self) -> Mapping[str, Sequence[Decision]]:
        """The kept decisions by service name, newest last."""
