"""Going back to what a service was before its last deploy."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rollback:
    """Put the spec before the last deploy back; the replica count stays as it is.

    Which spec that is, is found when it is written: specs hold passwords, and decisions are kept,
    shown and sent around.
    """
