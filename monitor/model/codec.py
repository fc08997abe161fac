"""Frozen values to and from plain JSON, by their own type hints.

A value becomes a dict of its fields, less those that are empty by default (so that a default
which changes one day changes nothing that was written before); where a field may hold values of
several classes, the class's name goes along under "is". A field that does not count in comparisons
is left out, and comes back as its default. Times and sizes keep every digit; what JSON has no
number for is written as a text: "nan", "inf", "-inf".
"""

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum, IntEnum
from functools import partial
from typing import Any, TypeGuard, TypeVar, Union, get_args, get_origin, get_type_hints

_T = TypeVar("_T")
_UNIONS = (Union, types.UnionType)
_KIND = "is"


class Codec:
    """Remembers the type hints it has looked up, and nothing else."""

    def __init__(self) -> None:
        self._hints: dict[type, dict[str, Any]] = {}

    def encode(self, value: Any, hint: Any) -> Any:
        """JSON-able data for `value`, which is of the type `hint`. TypeError for other types."""
        if value is None:
            return None
        options = _options(hint)
        kind = type(value)
        if is_dataclass(kind):
            several = sum(_is_class(option) for option in options) > 1
            return self._encode_fields(value, kind, several)
        if isinstance(value, IntEnum):
            return value.name
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        if isinstance(value, str | int | float):
            return value
        inner = partial(_inner, options[0])
        if isinstance(value, tuple):
            return [self.encode(one, inner(place)) for place, one in enumerate(value)]
        if isinstance(value, Mapping):
            return {str(key): self.encode(one, inner(1)) for key, one in value.items()}
        raise TypeError(f"{kind.__name__} has no spelling in JSON")

    def decode(self, data: Any, hint: type[_T] | Any) -> Any:
        """The value that `encode` made `data` of. ValueError, KeyError or TypeError if none did."""
        if data is None:
            return None
        options = _options(hint)
        classes = {option.__name__: option for option in options if _is_class(option)}
        if classes:
            name = data.get(_KIND)
            chosen = classes[name] if name is not None else next(iter(classes.values()))
            return self._decode_fields(data, chosen)
        only = options[0]
        origin = get_origin(only)
        if origin is tuple:
            return tuple(self.decode(one, _inner(only, place)) for place, one in enumerate(data))
        if origin is not None:
            return {key: self.decode(one, _inner(only, 1)) for key, one in data.items()}
        if issubclass(only, IntEnum):
            return only[data]
        if only is float or issubclass(only, Enum):
            return only(data)
        return data

    def _encode_fields(self, value: Any, kind: type, named: bool) -> dict[str, Any]:
        hints = self._hints_of(kind)
        found: dict[str, Any] = {_KIND: kind.__name__} if named else {}
        for field in fields(value):
            one = getattr(value, field.name)
            if field.compare and not (_empty(one) and _same_by_default(field, one)):
                found[field.name] = self.encode(one, hints[field.name])
        return found

    def _decode_fields(self, data: Mapping[str, Any], kind: type) -> Any:
        hints = self._hints_of(kind)
        return kind(
            **{name: self.decode(one, hints[name]) for name, one in data.items() if name != _KIND}
        )

    def _hints_of(self, kind: type) -> dict[str, Any]:
        known = self._hints.get(kind)
        if known is None:
            known = self._hints[kind] = get_type_hints(kind)
        return known


def _options(hint: Any) -> tuple[Any, ...]:
    """The types that a hint allows, None aside; a union within a union is flattened by Python."""
    if get_origin(hint) in _UNIONS:
        return tuple(option for option in get_args(hint) if option is not type(None))
    return (hint,)


def _is_class(option: Any) -> TypeGuard[type]:
    return isinstance(option, type) and is_dataclass(option)


def _inner(hint: Any, place: int) -> Any:
    """The hint of a part: of `tuple[X, ...]` always X, of `Mapping[K, V]` place 1 is V."""
    parts = get_args(hint)
    if len(parts) == 2 and parts[1] is Ellipsis:
        return parts[0]
    return parts[place]


def _empty(value: Any) -> bool:
    return value is None or value in (False, 0, "", ()) or value == {}


def _same_by_default(field: Field[Any], value: Any) -> bool:
    default = field.default
    if field.default_factory is not MISSING:
        default = field.default_factory()
    return type(default) is type(value) and bool(default == value)
