"""What the web room asks of the agent: plain values, from memory, at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from monitor.control.assignment import Claim
from monitor.decide import Recorded
from monitor.export.block import Block
from monitor.model.cause import TaskEnd
from monitor.model.decision import Decision
from monitor.model.logs import TaskLog
from monitor.model.pause import Pause, PauseScope
from monitor.model.rule import RuleSet


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """`tasks` counts running ones; `state` and `availability` as the Engine API spells them.

    drained_by: the rule that drained it, "" where none did. drained_until: wall seconds.
    """

    id: str
    name: str
    role: str
    state: str
    availability: str
    leader: bool = False
    tasks: int = 0
    engine_version: str = ""
    drained_by: str = ""
    drained_until: float | None = None


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
    nodes: tuple[str, ...] = ()


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
class DecisionEntry:
    """A decision, or the newest of a run of equal ones.

    since: wall seconds of the first of them; repeats: how many there are. outcome: what became
    of its write, None where there was none or it is not known yet. recorded: what it was decided
    on, of the newest few.
    """

    decision: Decision
    since: float
    repeats: int = 1
    outcome: str | None = None
    outcome_detail: str = ""
    recorded: Recorded | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a rule would decide now. notes: what to know about how that was found, in sentences."""

    decision: Decision
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActingAgent:
    """Another agent, that acts. url: of its HTTP side as reached from here, without a slash."""

    node_name: str
    url: str


class Refused(Exception):
    """What was asked cannot be done. status: of the HTTP answer; `str()` is one sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


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
    pauses: tuple[Pause, ...] = ()


class Operations(Protocol):
    """What a person may ask for besides looking."""

    def pauses(self) -> Sequence[Pause]:
        """Those in force."""

    async def pause(
        self, scope: PauseScope, name: str, seconds: float | None, *, note: str, by: str
    ) -> Pause:
        """Hands off for `seconds`, or until resumed (None). Raises Refused."""

    async def resume(self, scope: PauseScope, name: str) -> Pause:
        """Ends a pause and gives it back. Raises Refused."""

    async def roll_back(self, service_name: str, *, by: str) -> str:
        """Puts what the service was before its last deploy back; a sentence that says so.

        Raises Refused.
        """

    async def unpark(self, service_name: str, *, by: str) -> str:
        """Gives a service that a rule parked its replicas back; a sentence that says so.

        Raises Refused.
        """

    def claim(
        self, rules: RuleSet, service_name: str, rule: str | None
    ) -> tuple[Claim, tuple[str, ...]]:
        """The one of `rules` that `explain` shall judge on a known service: the one named, else
        the first scale rule about it, else the first rule; and the names of the others that are
        about it. Raises Refused."""

    async def explain(self, claim: Claim, service_name: str) -> Explanation:
        """What the rule would decide now; waits a while for numbers that were not read yet.

        Nothing is remembered and nothing is done. Raises Refused.
        """


class WebState(Protocol):
    async def metrics(self, *, openmetrics: bool, names: frozenset[str]) -> Sequence[Block]:
        """The whole exposition, block by block; never asks the Engine."""

    def not_ready(self) -> str | None:
        """One sentence on why this agent does not know its Swarm, None if it does.

        A worker's agent is ready when its Engine answers.
        """

    def status(self) -> Status: ...

    def acting_agent(self) -> ActingAgent | None:
        """The agent that acts, None where it is this one or none is known."""

    def service_names(self) -> Sequence[str]:
        """Services that this agent knows; none on workers."""

    def tasks(self, service_name: str) -> Sequence[TaskEnd] | None:
        """The tasks of a service, newest first, ended and forgotten ones too; None: unknown."""

    async def logs(self, ends: Sequence[TaskEnd]) -> Mapping[str, TaskLog]:
        """The last log lines of those that have ended, by task id; some seconds at most."""

    def decisions(self) -> Mapping[str, Sequence[DecisionEntry]]:
        """The kept decisions by service name, or node name, newest last."""

    @property
    def operations(self) -> Operations: ...
