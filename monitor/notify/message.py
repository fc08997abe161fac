"""What people are told."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    ACTION = "action"  # something was done
    FAILURE = "failure"  # something should have been done and was not, or nobody knows
    PROBLEM = "problem"  # something holds a rule back until somebody looks, as an open breaker
    NOTICE = "notice"  # a rule says that people shall be told


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """key: what it is about: a second one of the same key says the same again, or its end.

    text: one sentence. action, reason, outcome: as metrics spell them, "" where there is none.
    since: wall seconds. ended: when it was over, None as long as it is not; of what has no
    duration the same as `since`. node: of the agent that tells it. dropped: messages before this
    one that could not be sent. node_name: the node that it is about, if it is about one.
    """

    key: str
    kind: Kind
    text: str
    since: float
    ended: float | None = None
    rule: str = ""
    service_name: str = ""
    node_name: str = ""
    action: str = ""
    reason: str = ""
    outcome: str = ""
    node: str = ""
    dropped: int = 0

    @property
    def lasting(self) -> bool:
        """Whether it has a beginning and an end."""
        return self.kind is Kind.PROBLEM

    @property
    def severity(self) -> str:
        """`info` or `warning`, as alerts are routed by."""
        return "info" if self.kind in (Kind.ACTION, Kind.NOTICE) else "warning"
