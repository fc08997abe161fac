"""The kinds of values that fields of rule files hold, each checked with a sentence of its own."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field, Strict, WithJsonSchema

from monitor.rulefile import units
from monitor.rulefile.base import VERSION, LaterChoice, NeedsQuotes

T = TypeVar("T")
Many = Annotated[tuple[T, ...], Strict(strict=False)]
"""A list; its items stay strict."""

# Names of rules are metric labels; names of services are what the Swarm accepts, and globs.
_RULE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"
_SERVICE_NAME = r"^[A-Za-z0-9_.\-*?\[\]!]{1,128}$"
_STACK_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$"
_LABEL = r"^[^=\s][^=]{0,255}(=.{0,1024})?$"

LARGEST_SHARE = 10.0


@dataclass(frozen=True, slots=True)
class Amount:
    """A share (0.6 for 60%) or an absolute: bytes or cores."""

    value: float
    is_share: bool


def duration_of(
    low: float, high: float, low_text: str, high_text: str
) -> Callable[[object], float]:
    def check(value: object) -> float:
        number = units.seconds(value)
        if not low <= number <= high:
            raise ValueError(f"must be from {low_text} to {high_text}, not {value}")
        return number

    return check


def _share(low: float, high: float) -> Callable[[object], float]:
    def check(value: object) -> float:
        number = units.share(value)
        if not low <= number <= high:
            raise ValueError(f"must be from {low * 100:g}% to {high * 100:g}%, not {value}")
        return number

    return check


_checked_share = _share(0.01, LARGEST_SHARE)


def _size(value: object) -> float:
    number = units.size(value)
    if number < 1:
        raise ValueError(f"must be more than 0 bytes, not {value}")
    return number


def _share_or_size(value: object) -> Amount:
    if units.is_share(value):
        return Amount(_checked_share(value), is_share=True)
    if (number := units.number_in(value)) is not None:
        text = units.trimmed(number)
        if isinstance(value, float) and number <= 10:
            percent = units.trimmed(round(number * 100, 6))
            raise ValueError(f'must be a share or a size: write "{percent}%"')
        raise ValueError(f'must be a share or a size: write "{text}%" or "{text}MiB"')
    try:
        return Amount(_size(value), is_share=False)
    except ValueError as error:
        text = str(error).replace("a size such as", "a share such as 80% or a size such as")
        raise ValueError(text) from None


def _cores(value: object) -> float:
    if isinstance(value, str) and (found := re.fullmatch(r"([0-9]{1,9})m", value)):
        raise ValueError(f"must be a number of cores: write {int(found[1]) / 1000:g}")
    if units.is_share(value):
        raise ValueError(
            f'must be a number of cores such as 0.5: for a share write "target: {value}"'
        )
    if isinstance(value, str) and (number := units.number_in(value)) is not None:
        raise ValueError(f"must be a number without quotes: write {units.trimmed(number)}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        shown = units.shown(value)
        raise ValueError(f"must be a number of cores such as 0.5, not {shown}")  # noqa: TRY004
    if not 0.001 <= value <= 10_000:
        raise ValueError(f"must be from 0.001 to 10000 cores, not {value}")
    return float(value)


def _share_or_cores(value: object) -> Amount:
    if units.is_share(value):
        return Amount(_checked_share(value), is_share=True)
    if isinstance(value, str) and units.number_in(value) is None and not value.endswith("m"):
        raise ValueError(
            f"must be a share such as 95% or cores such as 1.5, not {units.shown(value)}"
        )
    return Amount(_cores(value), is_share=False)


def text(pattern: str, kind: str, allowed: str) -> Callable[[object], str]:
    """A check for names: `kind` says what it is, `allowed` what it may consist of."""
    compiled = re.compile(pattern)

    def check(value: object) -> str:
        if isinstance(value, bool | int | float):
            raise NeedsQuotes(kind)
        if not isinstance(value, str):
            raise ValueError(f"must be {kind}, not {units.shown(value)}")  # noqa: TRY004
        if not compiled.fullmatch(value):
            raise ValueError(f"must be {kind}: {allowed}, not {units.shown(value)}")
        return value

    return check


E_ = TypeVar("E_", bound=StrEnum)


def choice(kind: type[E_], later: tuple[str, ...] = ()) -> Callable[[object], E_]:
    """A check for one word of a closed set; `later`: words that later versions know."""
    known = {member.value: member for member in kind}
    listed = ", ".join(known)

    def check(value: object) -> E_:
        if isinstance(value, str) and value in known:
            return known[value]
        if isinstance(value, str) and value in later:
            raise LaterChoice(
                f'"{value}" is not supported by this version ({VERSION}): write {_or(listed)}'
            )
        if isinstance(value, str) and value.lower().replace("-", "_") in known:
            raise ValueError(f"write {value.lower().replace('-', '_')}, not {units.shown(value)}")
        raise ValueError(f"must be {_or(listed)}, not {units.shown(value)}")

    return check


def _or(listed: str) -> str:
    head, comma, tail = listed.rpartition(", ")
    return f"{head} or {tail}" if comma else tail


def _schema(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


_AMOUNT_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": units.SHARE_PATTERN},
        {"type": "string", "pattern": units.SIZE_PATTERN},
    ],
    "examples": ["80%", "700MiB"],
}
_CORES_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": units.SHARE_PATTERN},
        {"type": "number", "minimum": 0.001, "maximum": 10_000},
    ],
    "examples": ["95%", 1.5],
}

_DURATION_SCHEMA = _schema(units.DURATION_PATTERN, "30s", "1m30s", "5m")
Window = Annotated[float, BeforeValidator(duration_of(0, 3600, "0s", "1h")), _DURATION_SCHEMA]
Judged = Annotated[float, BeforeValidator(duration_of(2, 3600, "2s", "1h")), _DURATION_SCHEMA]
Pause = Annotated[float, BeforeValidator(duration_of(0, 86400, "0s", "1d")), _DURATION_SCHEMA]
Timeout = Annotated[float, BeforeValidator(duration_of(0.1, 60, "100ms", "1m")), _DURATION_SCHEMA]
Interval = Annotated[float, BeforeValidator(duration_of(1, 3600, "1s", "1h")), _DURATION_SCHEMA]
Scheduled = Annotated[
    float, BeforeValidator(duration_of(60, 366 * 86400, "1m", "366d")), _DURATION_SCHEMA
]
Period = Annotated[float, BeforeValidator(duration_of(1, 1800, "1s", "30m")), _DURATION_SCHEMA]
Hold = Annotated[float, BeforeValidator(duration_of(1, 86400, "1s", "1d")), _DURATION_SCHEMA]
Span = Annotated[float, BeforeValidator(duration_of(1, 30 * 86400, "1s", "30d")), _DURATION_SCHEMA]


def _judged_or_off(value: object) -> float | None:
    """None for `off`."""
    return None if value == "off" else duration_of(2, 3600, "2s", "1h")(value)


JudgedOrOff = Annotated[
    float | None,
    BeforeValidator(_judged_or_off),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": units.DURATION_PATTERN}, {"enum": ["off"]}],
            "examples": ["5s", "off"],
        }
    ),
]

Tolerance = Annotated[float, BeforeValidator(_share(0.0, 1.0)), _schema(units.SHARE_PATTERN, "10%")]
ShareOrSize = Annotated[Amount, BeforeValidator(_share_or_size), WithJsonSchema(_AMOUNT_SCHEMA)]
ShareOrCores = Annotated[Amount, BeforeValidator(_share_or_cores), WithJsonSchema(_CORES_SCHEMA)]
Cores = Annotated[
    float,
    BeforeValidator(_cores),
    WithJsonSchema({"type": "number", "minimum": 0.001, "maximum": 10_000}),
]
Replicas = Annotated[int, Field(ge=0, le=10_000)]
Step = Annotated[int, Field(ge=1, le=10_000)]
Count = Annotated[int, Field(ge=1, le=100)]
Changes = Annotated[int, Field(ge=1, le=1000)]

RuleName = Annotated[
    str,
    BeforeValidator(
        text(_RULE_NAME, "a rule's name", "at most 63 letters, digits, _ . - with no sign in front")
    ),
    _schema(_RULE_NAME, "web-load"),
]
ServiceName = Annotated[
    str,
    BeforeValidator(
        text(_SERVICE_NAME, "a service's name or glob", "letters, digits, _ . - and * ? [ ]")
    ),
    _schema(_SERVICE_NAME, "web", "shop_*"),
]
StackName = Annotated[
    str,
    BeforeValidator(text(_STACK_NAME, "a stack's name", "letters, digits, _ . -")),
    _schema(_STACK_NAME, "shop"),
]
Label = Annotated[
    str,
    BeforeValidator(text(_LABEL, "a label", 'write "key=value", or "key" for any value')),
    _schema(_LABEL, "tier=front", "tier"),
]
