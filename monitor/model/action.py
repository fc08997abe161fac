"""What may be done to a Swarm: a closed set."""

from dataclasses import dataclass

from monitor.model.rollback import Rollback
from monitor.model.stop_task import StopTask


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


Action = ScaleTo | ForceUpdate | StopTask | Rollback
