"""What events told of one task's container; the order of their arrival is no matter."""

from dataclasses import dataclass, replace

from monitor.model.event import REMAINS, Event

_KEPT = 8
"""Kills, OOM events and health changes that are remembered of one container: the latest."""

_TERM, _KILL = 15, 9
_AT_ONCE = 10.0
"""Seconds between a SIGKILL and the end of a container on a busy machine."""

_GRACE = 60.0
"""Seconds that a container may take to obey another signal before its end has other reasons."""


@dataclass(frozen=True, slots=True)
class Remains:
    """What its engine still knew of a container some time after its end, whoever ended it.

    oom_killed: the kernel killed in it for want of memory, once in its life. unhealthy: so its
    health check stood at the end.
    """

    ended_at: float
    exit_code: int | None
    oom_killed: bool = False
    unhealthy: bool = False


@dataclass(frozen=True, slots=True)
class ContainerPast:
    """Wall seconds of the node's clock, as the events and the task's own times are.

    kills: (time, signal). ooms: times. health: (time, whether it was healthy). died_at,
    exit_code: of the first end, since with that the task is over, whoever starts it anew.
    """

    started_at: float | None = None
    kills: tuple[tuple[float, int], ...] = ()
    ooms: tuple[float, ...] = ()
    health: tuple[tuple[float, bool], ...] = ()
    died_at: float | None = None
    exit_code: int | None = None
    stopped_at: float | None = None
    destroyed_at: float | None = None
    remains: Remains | None = None

    @property
    def kill(self) -> tuple[float, int] | None:
        """The last signal that was sent through the Engine and can have ended it."""
        if self.died_at is None:
            return None
        found = [(at, sig) for at, sig in self.kills if self._ends(at, sig, self.died_at)]
        return max(found, default=None)

    @property
    def oom_at(self) -> float | None:
        """The last time the kernel killed in it for want of memory, where that came to its end."""
        if self.died_at is None:
            return None
        low, high = self.died_at - _AT_ONCE, self.died_at + 2.0
        return max((at for at in self.ooms if low <= at <= high), default=None)

    @property
    def unhealthy_at(self) -> float | None:
        """When its health check gave up, where the Engine stopped it right after that."""
        if self.died_at is None or not self.kills:
            return None
        first = min((at for at, _ in self.kills if at > self.died_at - _GRACE), default=None)
        if first is None:
            return None
        last = max((one for one in self.health if one[0] <= first), default=None)
        if last is None or last[1] or first - last[0] > _AT_ONCE:
            return None
        return last[0]

    @property
    def removed_by_force(self) -> bool:
        """Killed and removed in one go, which no stop is: `docker container rm --force`."""
        if self.died_at is None or self.destroyed_at is None or self.stopped_at is not None:
            return False
        return self.destroyed_at - self.died_at < _AT_ONCE

    def _ends(self, at: float, signal: int, died_at: float) -> bool:
        if at > died_at + 0.5:
            return False
        if signal == _KILL:
            return died_at - at < _AT_ONCE
        if self.exit_code == 128 + signal:
            return True
        # A program may catch it, clean up and exit as it likes; SIGHUP and the like it may
        # take for something else altogether.
        return signal in (2, 3, _TERM) and died_at - at < _GRACE


NOTHING_HEARD = ContainerPast()


def with_event(past: ContainerPast, event: Event) -> ContainerPast:
    """The same past and one event of the container more; twice the same event adds nothing."""
    at = event.time_ns / 1e9
    action, _, detail = event.action.partition(":")
    if event.action == REMAINS:
        return _with_remains(past, event, at)
    match action.strip():
        case "start":
            return replace(past, started_at=_first(past.started_at, at))
        case "kill":
            kill = (at, _number(event.attributes.get("signal", "")) or _KILL)
            return replace(past, kills=tuple(sorted({*past.kills, kill})[-_KEPT:]))
        case "oom" | "oom_counted":  # the latter is told by an agent
            return replace(past, ooms=tuple(sorted({*past.ooms, at})[-_KEPT:]))
        case "health_status":
            change = (at, detail.strip() != "unhealthy")
            return replace(past, health=tuple(sorted({*past.health, change})[-_KEPT:]))
        case "die":
            if past.died_at is not None and past.died_at <= at:
                return past
            code = _number(event.attributes.get("exitCode", ""))
            return replace(past, died_at=at, exit_code=code)
        case "stop":
            return replace(past, stopped_at=_first(past.stopped_at, at))
        case "destroy":
            return replace(past, destroyed_at=_first(past.destroyed_at, at))
    return past


def _with_remains(past: ContainerPast, event: Event, at: float) -> ContainerPast:
    if past.remains is not None and past.remains.ended_at <= at:
        return past  # it ended then; whoever started it anew by hand is not the Swarm
    said = event.attributes
    started = said.get("startedAt", "")
    started_at = int(started) / 1e9 if started.isascii() and started.isdigit() else 0.0
    remains = Remains(
        ended_at=at,
        exit_code=_number(said.get("exitCode", "")),
        oom_killed=said.get("oomKilled") == "true",
        unhealthy=said.get("unhealthy") == "true",
    )
    return replace(
        past,
        remains=remains,
        started_at=_first(past.started_at, started_at) if started_at else past.started_at,
    )


def _first(known: float | None, at: float) -> float:
    return at if known is None else min(known, at)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
