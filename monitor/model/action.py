"""What may be done to a Swarm: a closed set."""

from dataclasses import dataclass

from monitor.model.node import Availability


@dataclass(frozen=True, slots=True)
class ScaleTo:
    """Set the replicas of a replicated service.

    during_rollout: may be written while an update of the service rolls out, which gives up the
        update's rollback target.
    """

    replicas: int
    during_rollout: bool = False


@dataclass(frozen=True, slots=True)
class ForceUpdate:
    """Replace all tasks by the service's own update settings."""


@dataclass(frozen=True, slots=True)
class RestartTask:
    """Stop one task's container on its own node, so that the Swarm puts another in its place.

    place: the task's slot, or its node for a global service. move: it is stopped so that the
        Swarm's scheduler places it elsewhere, not because anything is wrong with it.
    """

    task_id: str
    node_id: str
    container_id: str
    place: str
    move: bool = False


@dataclass(frozen=True, slots=True)
class Rollback:
    """Back to the deploy before the present one, with the replicas of now.

    by_swarm: an update is `updating` or `paused`, so it is the Swarm's own rollback that is asked
        for; else the kept spec `target` is written. replicas: None for a global service.
    """

    target: str
    replicas: int | None
    by_swarm: bool = False


@dataclass(frozen=True, slots=True)
class Park:
    """Set the replicas to 0 and remember that there were `replicas`."""

    replicas: int


@dataclass(frozen=True, slots=True)
class Unpark:
    """Set the replicas back to what they were before the service was parked."""

    replicas: int


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell people, and change nothing in the Swarm."""


@dataclass(frozen=True, slots=True)
class SetAvailability:
    """Set a node's availability. for_seconds: of a drain, after which it is taken back."""

    node_id: str
    availability: Availability
    for_seconds: float = 0.0


SpecAction = ScaleTo | ForceUpdate | Park | Unpark
"""Those that change one field of a service's spec as it is."""

Action = ScaleTo | ForceUpdate | RestartTask | Rollback | Park | Unpark | Notify | SetAvailability
