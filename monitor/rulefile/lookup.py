"""Which model, and which of its fields, a place in a rule file belongs to."""

import difflib
from collections.abc import Iterable
from typing import get_args

from pydantic import BaseModel, Tag

from monitor.rulefile.base import Strict

Location = tuple[int | str, ...]
_LONGEST_GUESS = 64


def model_at(root: type[Strict], location: Location) -> tuple[type[Strict], str]:
    """The innermost model on the way to `location`, and the last field's name as written.

    Where a value may be of several models, the part behind its place is the tag of the one
    it is of, such as `(cpu)`.
    """
    model, last = root, ""
    tagged: dict[str, type[Strict]] = {}
    for part in location:
        fields = field_models(model)
        if isinstance(part, str) and part in tagged:
            model, tagged = tagged[part], {}
        elif isinstance(part, str) and part in fields:
            last, tagged = part, _tagged(_annotation(model, part))
            model = fields[part] or model
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


def kin(root: type[Strict], location: Location) -> dict[str, type[Strict]]:
    """By tag, the models that the mapping at `location` might have been of; else none."""
    if not location or not str(location[-1]).startswith("("):
        return {}
    named = [index for index, part in enumerate(location) if not _is_between(part)]
    if not named:
        return {}
    holder, _ = model_at(root, location[: named[-1]])
    return _tagged(_annotation(holder, str(location[named[-1]])))


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
        case str() if '"' in value:
            return f"'{value}'"
        case str() if any(sign in value for sign in "*=,{}[]"):
            return f'"{value}"'
        case _:
            return str(value)


def unknown_field(name: str, root: type[Strict], location: Location) -> str:
    """A sentence on a field that its mapping does not have; `location` is the mapping's."""
    model, _ = model_at(root, location)
    known = field_models(model)
    if meant := _meant(name, model, known):
        return f'unknown field {_quoted(name)}: did you mean "{meant}"?'
    if others := [tag[1:-1] for tag, m in kin(root, location).items() if name in field_models(m)]:
        return f"unknown field {_quoted(name)} here: it belongs to type {_or(others)}"
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


def _or(names: list[str]) -> str:
    head, last = ", ".join(names[:-1]), names[-1]
    return f"{head} or {last}" if head else last


def _is_between(part: int | str) -> bool:
    """Whether a part of a place is no field: an index, or the tag of a model."""
    return isinstance(part, int) or part.startswith("(")


def _annotation(model: type[Strict], name: str) -> object:
    return next(
        (
            info.annotation
            for field, info in model.model_fields.items()
            if name in {info.alias, field}
        ),
        None,
    )


def _tagged(annotation: object) -> dict[str, type[Strict]]:
    """The models in a union, by their tags."""
    found: dict[str, type[Strict]] = {}
    for part in get_args(annotation):
        model = _inner(part)
        tags = [data.tag for data in getattr(part, "__metadata__", ()) if isinstance(data, Tag)]
        if tags and model is not None:
            found[tags[0]] = model
        else:
            found |= _tagged(part)
    return found


def _inner(annotation: object) -> type[Strict] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation if issubclass(annotation, Strict) else None
    for part in get_args(annotation):
        if (found := _inner(part)) is not None:
            return found
    return None
