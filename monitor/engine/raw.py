"""Reading raw JSON tolerantly: what is missing or of another type counts as absent."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from sys import intern
from typing import Any

from monitor.ports.errors import BadAnswer

Raw = Mapping[str, Any]

_NANO = 1_000_000_000

_DEEPEST = 30
_LONGEST = 64


def part(raw: Any, *path: str) -> dict[str, Any]:
    """The object at `path`, {} where there is none."""
    for key in path:
        raw = raw.get(key) if isinstance(raw, Mapping) else None
    return raw if isinstance(raw, dict) else {}


def parts(raw: Raw, key: str) -> list[dict[str, Any]]:
    """The objects of the array at `key`, [] where there is none."""
    value = raw.get(key)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def strings(raw: Raw, key: str) -> list[str]:
    """The strings of the array at `key`, [] where there is none."""
    value = raw.get(key)
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def text(raw: Raw, key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def identifier(raw: Raw, key: str, what: str) -> str:
    """An id without which the object is worth nothing; raises BadAnswer."""
    value = text(raw, key)
    if not value:
        raise BadAnswer(f"a {what} without {key}")
    return value


def integer(raw: Raw, key: str) -> int | None:
    value = raw.get(key)
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def whole(raw: Raw, key: str) -> int:
    """An integer, 0 where there is none."""
    return integer(raw, key) or 0


def flag(raw: Raw, key: str) -> bool:
    return raw.get(key) is True


def labels(raw: Raw, key: str) -> dict[str, str]:
    """A map of strings; other values are left out."""
    return {name: value for name, value in part(raw, key).items() if isinstance(value, str)}


def shared(raw: Any, depth: int = 0) -> Any:
    """The same, with its keys and short strings held once for all objects that have them.

    What is kept of 1,000 services is 5 MB of strings otherwise, most of them keys.
    """
    if isinstance(raw, dict) and depth < _DEEPEST:
        return {intern(key): shared(value, depth + 1) for key, value in raw.items()}
    if isinstance(raw, list) and depth < _DEEPEST:
        return [shared(value, depth + 1) for value in raw]
    return intern(raw) if isinstance(raw, str) and len(raw) <= _LONGEST else raw


def ratio(raw: Raw, key: str, unit: int = _NANO) -> float:
    """An integer in `unit`s to one: nanoseconds to seconds, NanoCPUs to cores."""
    try:
        return whole(raw, key) / unit
    except OverflowError:
        return 0.0


def wall_seconds(raw: Raw, key: str) -> float:
    """A time of RFC 3339 in seconds since the epoch; 0.0 for none and for Go's year 1."""
    value = raw.get(key)
    if not isinstance(value, str):
        return 0.0
    try:
        moment = datetime.fromisoformat(value)  # cuts nanoseconds off to microseconds
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - _EPOCH).total_seconds())


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
