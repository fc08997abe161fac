"""What this node is to the mirror: a manager, a worker, or out of touch."""

from enum import StrEnum

from monitor.model.container import EngineIdentity
from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.ports.errors import EngineError, NotAManager


class MirrorState(StrEnum):
    MANAGER = "manager"
    WORKER = "worker"  # or not in a Swarm at all: nothing to mirror
    UNKNOWN = "unknown"  # not asked yet
    UNREACHABLE = "unreachable"  # what is held is old


async def standing_after(fault: EngineError, engine: Engine) -> tuple[MirrorState, str]:
    """What a failed read means, and one sentence on it.

    A manager without a leader, and one that is only starting, refuse like a worker does; the
    daemon itself knows better. Only a sure answer may empty the mirror.
    """
    if not isinstance(fault, NotAManager):
        return MirrorState.UNREACHABLE, str(fault)
    try:
        identity = await engine.identity()
    except EngineError as unknown:
        return MirrorState.UNREACHABLE, f"{fault}; and asked who it is: {unknown}"
    return _standing(identity, fault)


def _standing(identity: EngineIdentity, fault: EngineError) -> tuple[MirrorState, str]:
    match identity.swarm_state:
        case "active" if not identity.is_manager:
            return MirrorState.WORKER, "this node is a worker: workers do not know the Swarm"
        case "active":
            return MirrorState.UNREACHABLE, f"this manager cannot answer now: {fault}"
        case "inactive":
            return MirrorState.WORKER, "this engine is not part of a Swarm"
    return MirrorState.UNREACHABLE, f"this engine's part in the Swarm is {identity.swarm_state}"


class Retries:
    """Pauses between attempts in seconds, each cut by up to half by chance.

    Out of touch: from 0.2 doubling to 30. On a worker: 5 to 10, it may be promoted.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next = 0.2

    def reset(self) -> None:
        self._next = 0.2

    def pause(self, state: MirrorState) -> float:
        whole = 10.0
        if state is not MirrorState.WORKER:
            whole, self._next = self._next, min(30.0, self._next * 2)
        return whole * (1.0 - self._clock.random() / 2)
