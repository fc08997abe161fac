"""Durations, sizes and shares as rule files spell them.

Every function takes what stood in the file and returns a number, or raises ValueError with one
sentence that says what to write. Durations are spelled as in compose files, with `d` added.
"""

import re
from decimal import Decimal

DURATION_PATTERN = (
    r"^(?=[0-9])([0-9]+(\.[0-9]+)?d)?([0-9]+(\.[0-9]+)?h)?([0-9]+(\.[0-9]+)?m)?"
    r"([0-9]+(\.[0-9]+)?s)?([0-9]+(\.[0-9]+)?ms)?$"
)
SIZE_PATTERN = r"^[0-9]+(\.[0-9]+)?(B|KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB)$"
SHARE_PATTERN = r"^[0-9]+(\.[0-9]+)?%$"

_LONGEST = 40
_SECONDS = {
    "d": Decimal(86400),
    "h": Decimal(3600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("0.001"),
}
_BYTES = {"B": 1, "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4} | {
    f"{letter}iB": 1024 ** (power + 1) for power, letter in enumerate("KMGT")
}
_DURATION = re.compile(DURATION_PATTERN)
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[dhms])")
_SIZE = re.compile(SIZE_PATTERN)
_SHARE = re.compile(SHARE_PATTERN)
_WORDS = re.compile(r"([0-9.]+)\s*([a-zA-Z]+)")
_NEARLY_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([a-zA-Z]{1,3})")
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
_UNIT_WORDS = {
    "ms": ("ms", "msec", "millis", "millisecond", "milliseconds"),
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
}


def shown(value: object) -> str:
    """A value as a person would find it in the file, shortened."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"' if len(value) <= _LONGEST else f'"{value[:_LONGEST]}..."'
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            return str(value)


def seconds(value: object) -> float:
    """`1m30s` -> 90.0."""
    if isinstance(value, str) and len(value) <= _LONGEST and _DURATION.fullmatch(value):
        parts = _PART.findall(value)
        return float(sum((Decimal(number) * _SECONDS[unit] for number, unit in parts), Decimal(0)))
    raise ValueError(f"must be a duration such as 30s, 5m or 1m30s: {_duration_advice(value)}")


def size(value: object) -> float:
    """`1.5GiB` -> 1610612736.0: bytes."""
    if isinstance(value, str) and len(value) <= _LONGEST and (found := _SIZE.fullmatch(value)):
        unit = found.group(2)
        return float(int(Decimal(value.removesuffix(unit)) * _BYTES[unit]))
    raise ValueError(f"must be a size such as 700MiB or 2GiB: {_size_advice(value)}")


def share(value: object) -> float:
    """`60%` -> 0.6."""
    if isinstance(value, str) and len(value) <= _LONGEST and _SHARE.fullmatch(value):
        return float(Decimal(value[:-1]) / 100)
    raise ValueError(f"must be a share such as 60%: {_share_advice(value)}")


def is_share(value: object) -> bool:
    return isinstance(value, str) and value.endswith("%")


def number_in(value: object) -> float | None:
    """The plain number, bare or in quotes, that somebody wrote where a unit belongs."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if abs(value) < 1e15 else None
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    return None


def trimmed(value: float) -> str:
    """A number without a useless fraction."""
    return str(int(value)) if value == int(value) else str(value)


def _duration_advice(value: object) -> str:
    number = number_in(value)
    if number is not None and number >= 0:
        return f'write "{trimmed(number)}s"'
    if isinstance(value, str) and len(value) <= _LONGEST:
        if found := re.fullmatch(r"([0-9]{1,2}):([0-9]{1,2})", value):
            first, second = int(found[1]), int(found[2])
            return f'write "{first}m{second}s" or "{first}h{second}m", not "{value}"'
        if found := re.fullmatch(r"([0-9]+)\s*(w|weeks?)", value):
            return f'write "{int(found[1]) * 7}d"'
        spelled = "".join(f"{n}{_unit(word)}" for n, word in _WORDS.findall(value))
        if value[:1].isdigit() and spelled != value and _DURATION.fullmatch(spelled):
            return f'write "{spelled}", not {shown(value)}'
    return f"not {shown(value)}"


def _unit(word: str) -> str:
    lowered = word.lower()
    return next((unit for unit, words in _UNIT_WORDS.items() if lowered in words), "?")


def _size_advice(value: object) -> str:
    number = number_in(value)
    if number is not None and number >= 0:
        return f'write "{trimmed(number)}MiB" or "{trimmed(number)}B"'
    if isinstance(value, str) and (found := _NEARLY_SIZE.fullmatch(value)):
        unit = found[2].lower()
        names = [name for name in _BYTES if name.lower() == unit and name != "kB"]
        names += [name for name in _BYTES if name.lower() == f"{unit[0]}ib"]
        if names and f"{found[1]}{names[0]}" != value:
            return f'write "{found[1]}{names[0]}", not {shown(value)}'
    return f"not {shown(value)}"


def _share_advice(value: object) -> str:
    number = number_in(value)
    if number is not None and number > 0:
        percent = number * 100 if isinstance(value, float) and number <= 10 else number
        return f'write "{trimmed(round(percent, 6))}%"'
    if isinstance(value, str) and re.fullmatch(r"[0-9.]{1,20}\s+%", value):
        return f'write "{value.replace(" ", "")}", not {shown(value)}'
    return f"not {shown(value)}"
