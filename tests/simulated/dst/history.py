"""What happened in a run, in the order in which it did: all that the promises are judged on.

Every entry has `at`, seconds on the one clock that nobody sets. Who wrote it down is the world, at
the place where it happened: a write where it arrives at the Swarm, not where it was sent.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from monitor.act.spec import Path, differences
from monitor.model.decision import Decision
from monitor.simulate.spec import mode_of, replicas_of

E = TypeVar("E", bound="Entry")


@dataclass(frozen=True, slots=True)
class Entry:
    at: float


@dataclass(frozen=True, slots=True)
class Injected(Entry):
    """A fault began, or was undone."""

    kind: str
    args: str
    over: bool = False


@dataclass(frozen=True, slots=True)
class Decided(Entry):
    """decision: its id names the process; those alike but for time and numbers come once in a
    row."""

    process: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class Sent(Entry):
    """A write to a service left an agent. term: of its lease as it knew then.

    holder, written_at: whose lease it was in the Swarm's own store, and when it was last written.
    unheard: seconds for which nothing can have come from the agents of nodes on which tasks of
    the service run, the longest of them. others: digests of the rules of other managers' agents
    that it was in touch with for some seconds. paused: whether a pause of it was in force.
    """

    process: str
    decision: str
    service: str
    term: int | None
    holder: str
    written_at: float
    unheard: float
    digest: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arrived(Entry):
    """An update reached the Swarm. decision: "" for a person's. was, state: the service's version
    and update state right before; dirty: whether a live task ran another template then.
    error: "" if it was applied."""

    decision: str
    service_id: str
    service: str
    version: int
    was: int
    state: str | None
    dirty: bool
    before: dict[str, Any]
    after: dict[str, Any]
    error: str = ""

    @property
    def applied(self) -> bool:
        return not self.error

    @property
    def own(self) -> bool:
        return bool(self.decision)

    @property
    def mode(self) -> str:
        return mode_of(self.before)

    @property
    def replicas(self) -> tuple[int, int]:
        return replicas_of(self.before), replicas_of(self.after)

    @property
    def changed(self) -> list[Path]:
        return list(differences(self.before, self.after))

    @property
    def forced(self) -> bool:
        return self.changed == [("TaskTemplate", "ForceUpdate")]


@dataclass(frozen=True, slots=True)
class Learned(Entry):
    """An agent learned what became of its write. awaited: whether it waited for that."""

    process: str
    decision: str
    outcome: str
    awaited: bool


@dataclass(frozen=True, slots=True)
class Life(Entry):
    """what: begins, frozen, thawed, killed, told to stop, ended."""

    process: str
    node: str
    what: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Leased(Entry):
    """What the config that holds the lease says now; holder "" once it is removed."""

    holder: str
    term: int
    beat: int
    released: bool


@dataclass(frozen=True, slots=True)
class TookOver(Entry):
    """Another agent has the lease. touch: seconds for which its engine had answered it by then;
    clocks: whether wall clocks had been set in this run."""

    process: str
    touch: float
    clocks: bool


@dataclass(frozen=True, slots=True)
class Removed(Entry):
    """A config went: the lease, or what must survive."""

    name: str


@dataclass(frozen=True, slots=True)
class Twice(Entry):
    """Two agents could act at one moment."""

    who: str


@dataclass(frozen=True, slots=True)
class Rolled(Entry):
    """A service's update state changed."""

    service: str
    version: int
    state: str | None


@dataclass(frozen=True, slots=True)
class Misjudged(Entry):
    """A decision left out a task as lost with its node, though that node was not down."""

    decision: str
    what: str


@dataclass(frozen=True, slots=True)
class Hasty(Entry):
    """A decision takes replicas away that the same agent thought were needed within the window."""

    decision: str
    what: str


@dataclass(frozen=True, slots=True)
class Unsaid(Entry):
    """An agent made a decision and cannot tell of it."""

    process: str
    what: str


@dataclass(frozen=True, slots=True)
class Stood(Entry):
    """The replicas that a version of a service asks for."""

    service_id: str
    version: int
    replicas: int


@dataclass(frozen=True, slots=True)
class Compared(Entry):
    """What an agent holds beside what is. wrong: what differs for too long, "" if nothing does;
    touch: seconds for which its engine has answered."""

    process: str
    touch: float
    wrong: str


@dataclass(frozen=True, slots=True)
class Scraped(Entry):
    """away: seconds for which the engine has not answered. up, cluster, usage: what /metrics says
    of it, and whether it has series of the Swarm and of what this node's tasks use. wrong: what of
    the Swarm is shown otherwise than it has been for long, "" if nothing is."""

    process: str
    took: float
    away: float
    up: bool | None
    cluster: bool
    usage: bool
    problem: str
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Ruled(Entry):
    """An agent looked at a rule file that had changed. digests: of the rules in force; decides: of
    those by which it decides."""

    process: str
    good: bool
    before: str
    after: str
    decides: str
    bounds: dict[str, tuple[int, int]]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Loaded(Entry):
    """The load that a service asks for from now on, in replicas; its tasks can use as much."""

    service: str
    wanted: float


@dataclass(frozen=True, slots=True)
class Numbers(Entry):
    """The server of numbers answers in this way from now on; "" is well."""

    mode: str


@dataclass(frozen=True, slots=True)
class Stopped(Entry):
    """An agent told its node's engine to stop a container. proven: the task, service and node that
    its labels name.

    version, state, dirty: of its service at that moment, as in `Arrived`. emptied: places of the
    service in which nothing has run since an agent stopped what ran there; elsewhere: such places
    of other services whose tasks were moved. since: seconds since there was last a reason to stop
    it, 0 while there is one, None if there never was.
    """

    process: str
    node: str
    container: str
    proven: tuple[str, str, str]
    service: str
    version: int
    state: str | None
    dirty: bool
    emptied: int
    elsewhere: int
    since: float | None

    @property
    def task(self) -> str:
        return self.proven[0]


@dataclass(frozen=True, slots=True)
class NodeWas(Entry):
    """A node is like this from now on. decision: whose write made it so available, and since when,
    "" if anything else did."""

    node: str
    name: str
    role: str
    state: str
    availability: str
    decision: str
    since: float


@dataclass(frozen=True, slots=True)
class NodeWritten(Entry):
    """A write of an agent to a node reached the Swarm. version: on which it was decided; was: the
    node's then. changed: what of its availability and labels it would change."""

    decision: str
    node: str
    version: int
    was: int
    changed: tuple[str, ...]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Halted(Entry):
    """It was this stop that ended the task, and not the task itself."""

    service: str
    task: str


@dataclass(frozen=True, slots=True)
class Ended(Entry):
    """A task of a service that ails has ended, whatever ended it."""

    service: str
    task: str
    node: str
    exit_code: int | None
    oom: bool


@dataclass(frozen=True, slots=True)
class Blamed(Entry):
    """An agent counts the end of a task that was stopped as a failure of its own."""

    process: str
    task: str
    cause: str


@dataclass(frozen=True, slots=True)
class Kept(Entry):
    """What the agent that acts remembers of a rule and has stored: whether its breaker is open,
    and how many replicas the service had that it parked."""

    process: str
    service: str
    rule: str
    open: bool
    parked: int | None


@dataclass(frozen=True, slots=True)
class Unparked(Entry):
    """A person asked the agent that acts to unpark a service; what it said once it had."""

    process: str
    service: str
    said: str


@dataclass(frozen=True, slots=True)
class Paused(Entry):
    """An agent said that it keeps hands off a service, a rule's doings (then that is its name) or
    everything ("") for so many seconds."""

    process: str
    name: str
    seconds: float
    scope: str


@dataclass(frozen=True, slots=True)
class Rested(Entry):
    """The end: all faults were undone, and all was as it should be after `took` seconds; None:
    it was not, and `why` says what was amiss."""

    took: float | None
    why: str = ""


@dataclass
class History:
    entries: list[Entry] = field(default_factory=list)
    closed: bool = False

    def add(self, entry: Entry) -> None:
        if not self.closed:
            self.entries.append(entry)

    def of(self, kind: type[E]) -> Iterator[E]:
        return (entry for entry in self.entries if type(entry) is kind)

    def digest(self) -> str:
        """Equal where two runs were the same to the last number."""
        found = hashlib.sha256()
        for entry in self.entries:
            found.update(repr(entry).encode())
        return found.hexdigest()
