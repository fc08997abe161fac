"""What may be done to a Swarm: a closed set."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScaleTo:
    """Set the replicas of a replicated service."""

    replicas: int


@dataclass(frozen=True, slots=True)
class ForceUpdate:
    """Replace all tasks by the service's own update settings."""


Action = ScaleTo | ForceUpdate
