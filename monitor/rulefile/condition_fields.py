"""Values that only conditions of restart and node rules hold."""

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from monitor.model.task import TASK_STATES, TaskState
from monitor.rulefile import units
from monitor.rulefile.fields import duration_of

STATES = ("new", "pending", "assigned", "accepted", "preparing", "ready", "starting")
"""States on the way to running, in which a task can be stuck."""


def _state(value: object) -> TaskState:
    if isinstance(value, str) and value in STATES:
        return TASK_STATES[value]
    if isinstance(value, str) and value.lower() in STATES:
        raise ValueError(f"write {value.lower()}, not {units.shown(value)}")
    if isinstance(value, str) and value in TASK_STATES:
        raise ValueError(f"{value} is where a task belongs or ends: write one of {_LISTED}")
    raise ValueError(f"must be {_LISTED}, not {units.shown(value)}")


_LISTED = f"{', '.join(STATES[:-1])} or {STATES[-1]}"

TaskStateName = Annotated[
    TaskState, BeforeValidator(_state), WithJsonSchema({"enum": list(STATES)})
]


def _part(value: object) -> float:
    number = units.share(value)
    if not 0.01 <= number <= 1.0:
        raise ValueError(f"must be from 1% to 100%, not {value}")
    return number


PartOfAll = Annotated[
    float,
    BeforeValidator(_part),
    WithJsonSchema({"type": "string", "pattern": units.SHARE_PATTERN, "examples": ["90%"]}),
]
Occurrences = Annotated[int, Field(ge=1, le=1000)]
ExitCode = Annotated[int, Field(ge=0, le=255)]
AtOnce = Annotated[int, Field(ge=1, le=100)]
Skew = Annotated[int, Field(ge=1, le=1000)]
Trials = Annotated[int, Field(ge=1, le=100)]
Fired = Annotated[
    float,
    BeforeValidator(duration_of(10, 86400, "10s", "1d")),
    WithJsonSchema({"type": "string", "pattern": units.DURATION_PATTERN, "examples": ["10m"]}),
]
Drained = Annotated[
    float,
    BeforeValidator(duration_of(60, 7 * 86400, "1m", "7d")),
    WithJsonSchema({"type": "string", "pattern": units.DURATION_PATTERN, "examples": ["30m"]}),
]
