"""What agents tell each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from monitor.model.usage import NOT_READ, Machine, Reading


@dataclass(frozen=True, slots=True)
class About:
    """What an agent says of itself, at the hello and whenever it changes.

    boot_id: another one for each start of an agent. role: manager, worker or none.
    digest: of everything that decides what it would do; equal where two agents would do the same.
    acting: whether it may write now. actor: name of the node whose agent acts as far as it
    knows, "" if it does not. http_port: where its API is.
    release: the version of swarm-monitor.
    """

    node_id: str
    node_name: str
    boot_id: str
    role: str = "none"
    release: str = ""
    digest: str = ""
    acting: bool = False
    actor: str = ""
    http_port: int = 0


@dataclass(frozen=True, slots=True)
class TaskReading:
    """One task's newest counters. read_at: seconds of the *sender's* monotonic clock.

    pause: seconds for which this reading is the present, because its source makes such a pause
    before the next; 0 where each report has a new one. network_at, network_pause: the same of
    `reading.network`, which is read less often; network_at is None where there is none.
    """

    task_id: str
    read_at: float
    reading: Reading
    pause: float = 0.0
    network_at: float | None = None
    network_pause: float = 0.0


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What a node's tasks use, sent once a second. Tasks that are not in it ended.

    sent_at: seconds of the sender's monotonic clock when it was sent. wall: its wall clock then,
    for the skew alone. machine: how full the node itself is.
    """

    sent_at: float
    wall: float
    readings: tuple[TaskReading, ...] = ()
    machine: Machine = NOT_READ


class PeerState(StrEnum):
    CONNECTING = "connecting"
    UP = "up"
    SILENT = "silent"  # connected, but nothing was heard for longer than the bound
    REFUSED = "refused"  # it, or we, did not know the secret


@dataclass(frozen=True, slots=True)
class Peer:
    """Another node's agent as this one knows it. Monotonic seconds of this agent.

    about: its newest word on itself, None before the first. heard_at: when anything was last
    heard from it. skew: its wall clock less ours in seconds, None while unknown. why: one
    sentence where it is not up.
    """

    node_id: str
    state: PeerState
    address: str = ""
    about: About | None = None
    heard_at: float | None = None
    skew: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """Something to be done once on another node. expires_in: seconds from its arrival there.

    id: of the decision behind it; a second one of the same id is answered, not carried out.
    term: of the lease it was decided under.
    """

    id: str
    kind: str
    term: int
    expires_in: float
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommandResult:
    """done: whether it was carried out. detail: one sentence. known: False where it was not
    told whether it was carried out, in whole or in part. lines: what a command to read brought.
    """

    id: str
    done: bool
    detail: str = ""
    known: bool = True
    lines: tuple[str, ...] = ()
