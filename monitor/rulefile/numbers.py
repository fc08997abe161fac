"""Plain numbers and rates in rule files, each checked with a sentence of its own."""

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from monitor.rulefile import units

LARGEST = 1e15
RATE_PATTERN = units.SIZE_PATTERN.removesuffix("$") + r"(/s)?$"

_POWER = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)[eE]([-+]?[0-9]{1,2})")
_BITS = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([kKmMgG]?)(?:bits?|b)(?:/s|ps)")
_BIT_UNITS = {"": "B", "k": "kB", "m": "MB", "g": "GB"}


def _number(*, above_zero: bool) -> Callable[[object], float]:
    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"must be a number such as 100 or 2.5: {_advice(value)}")  # noqa: TRY004
        if above_zero and value <= 0:
            raise ValueError(f"must be more than 0, not {value}")
        if abs(value) > LARGEST:
            raise ValueError(f"must be at most {LARGEST:.0f}, not {value}")
        return float(value)

    return check


def _advice(value: object) -> str:
    """What a person who wrote this probably meant."""
    if (plain := units.number_in(value)) is not None:
        return f"write {units.trimmed(plain)}, without quotes"
    if isinstance(value, str):
        if found := _POWER.fullmatch(value):
            return f"write {units.trimmed(float(found[1]) * 10.0 ** int(found[2]))}"
        for read, what in ((units.size, "bytes"), (units.seconds, "seconds"), (units.share, "")):
            try:
                number = read(value)
            except ValueError:
                continue
            return f"write {units.trimmed(round(number, 9))}{f' ({what})' if what else ''}"
    return f"not {units.shown(value)}"


def _rate(value: object) -> float:
    text = value.removesuffix("/s") if isinstance(value, str) else value
    if isinstance(value, str) and (found := _BITS.fullmatch(value)):
        number = units.trimmed(round(float(found[1]) / 8, 9))
        raise ValueError(
            f'must be bytes per second: write "{number}{_BIT_UNITS[found[2].lower()]}/s"'
        )
    if units.is_share(value):
        raise ValueError(f"must be bytes per second such as 10MiB/s, not {units.shown(value)}")
    try:
        number_of_bytes = units.size(text)
    except ValueError as error:
        said = str(error).replace("a size such as 700MiB or 2GiB", "bytes per second such as 10MiB")
        raise ValueError(said) from None
    if number_of_bytes < 1:
        raise ValueError(f"must be more than 0 bytes per second, not {value}")
    return number_of_bytes


_NUMBER_SCHEMA = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
Number = Annotated[
    float, BeforeValidator(_number(above_zero=False)), WithJsonSchema(_NUMBER_SCHEMA)
]
Target = Annotated[
    float,
    BeforeValidator(_number(above_zero=True)),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": LARGEST}),
]
Rate = Annotated[
    float,
    BeforeValidator(_rate),
    WithJsonSchema({"type": "string", "pattern": RATE_PATTERN, "examples": ["10MiB", "10MiB/s"]}),
]
