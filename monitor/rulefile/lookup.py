"""Which model, and which of its fields, a place in a rule file belongs to."""

import difflib
from collections.abc import Iterable
from typing import get_args

from pydantic import BaseModel

from monitor.rulefile.base import Strict

Location = tuple[int | str, ...]
_LONGEST_GUESS = 64


def model_at(root: type[Strict], location: Location) -> tuple[type[Strict], str]:
    """The innermost model on the way to `location`, and the last field's name as written."""
    model, last = root, ""
    for part in location:
        fields = field_models(model)
        if isinstance(part, str) and part in fields:
            last = part
            inner = fields[part]
            if inner is not None:
                model = inner
    return model, last


def models_along(root: type[Strict], location: Location) -> list[type[Strict]]:
    """The models from the file's own down to the one at `location`."""
    found = [root]
    for end in range(1, len(location) + 1):
        model, _ = model_at(root, location[:end])
        if model is not found[-1]:
            found.append(model)
    return found


def field_models(model: type[Strict]) -> dict[str, type[Strict] | None]:
    """Each field as written, and the model of its value if it has one."""
    return {
        info.alias or name: _inner(info.annotation) for name, info in model.model_fields.items()
    }


def example_of(model: type[Strict], name: str) -> object | None:
    for field, info in model.model_fields.items():
        if (info.alias or field) == name and info.examples:
            return info.examples[0]  # type: ignore[no-any-return]
    return None


def flow(value: object) -> str:
    """A plain value as YAML on one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(flow(item) for item in value) + "]"
        case str() if "*" in value or "=" in value:
            return f'"{value}"'
        case _:
            return str(value)


def unknown_field(name: str, root: type[Strict], location: Location) -> str:
    """A sentence on a field that its mapping does not have; `location` is the mapping's."""
    model, _ = model_at(root, location)
    known = field_models(model)
    if meant := _meant(name, model, known):
        return f'unknown field {_quoted(name)}: did you mean "{meant}"?'
    inside = [
        f'"{field}:"'
        for field, inner in known.items()
        if inner is not None and inner is not model and name in field_models(inner)
    ]
    if inside:
        return f"unknown field {_quoted(name)} here: it belongs under {' or '.join(inside)}"
    for outer in reversed(models_along(root, location)[:-1]):
        if name in field_models(outer):
            return f"unknown field {_quoted(name)} here: it belongs further out"
    return f"unknown field {_quoted(name)}: known are {', '.join(known)}"


def _meant(name: str, model: type[Strict], known: Iterable[str]) -> str | None:
    if name in model.MEANT:
        return model.MEANT[name]
    if len(name) > _LONGEST_GUESS:
        return None
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).replace("-", "_")
    close = difflib.get_close_matches(snake.strip("_"), list(known), n=1, cutoff=0.7)
    return close[0] if close else None


def _quoted(name: str) -> str:
    return f'"{name}"' if len(name) <= _LONGEST_GUESS else f'"{name[:_LONGEST_GUESS]}..."'


def _inner(annotation: object) -> type[Strict] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation if issubclass(annotation, Strict) else None
    for part in get_args(annotation):
        if (found := _inner(part)) is not None:
            return found
    return None
