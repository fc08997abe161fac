"""Hands off: a service, a rule or everything is left alone until somebody resumes it."""

from dataclasses import dataclass
from enum import StrEnum


class PauseScope(StrEnum):
    SERVICE = "service"
    RULE = "rule"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Pause:
    """`name` of the service or rule, "" for all. `until` in wall seconds, None: until resumed."""

    scope: PauseScope
    name: str = ""
    until: float | None = None
    since: float = 0.0
    note: str = ""
