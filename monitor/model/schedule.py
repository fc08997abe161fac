"""Times at which a scale rule has other bounds."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Schedule:
    """From each moment that `cron` names in `timezone` (IANA) on, for `duration` seconds.

    min, max: replace the rule's own while it is active; None leaves them. `replicas` is both.
    Of several active ones the last in the rule's list wins, field by field.
    """

    cron: str
    duration: float
    timezone: str = "UTC"
    min: int | None = None
    max: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Fallback:
    """After `after` seconds in which no metric could be read: at least `replicas`."""

    replicas: int
    after: float


class AfterDeployReset(StrEnum):
    """What to do when a deploy set the replicas back to its own number.

    wait: nothing until its rollout has ended; then the load decides.
    restore: put the earlier number back at once, knowing that the deploy's rollback target is
        given up by that.
    """

    WAIT = "wait"
    RESTORE = "restore"
