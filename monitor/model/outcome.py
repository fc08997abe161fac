"""What became of a decision's write."""

from dataclasses import dataclass
from enum import StrEnum


class OutcomeKind(StrEnum):
    APPLIED = "applied"
    CONFLICT = "conflict"  # somebody changed the service since it was decided: decide again
    REFUSED = "refused"  # a guard of the writer said no
    UNKNOWN = "unknown"  # the answer was lost: it may or may not have been applied
    FAILED = "failed"  # the Swarm said no


@dataclass(frozen=True, slots=True)
class Outcome:
    """`posted` is the fingerprint of the spec that was sent, to recognise the own write."""

    kind: OutcomeKind
    detail: str = ""
    posted: str = ""
