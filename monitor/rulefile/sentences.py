"""The models' errors as problems: a place in the file, and what to write instead."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from monitor.rulefile import units
from monitor.rulefile.base import VERSION, Faults, NeedsQuotes, Strict, Within
from monitor.rulefile.lookup import Location, example_of, flow, model_at, unknown_field
from monitor.rulefile.node import Node, find
from monitor.rulefile.problem import MAX_PER_FILE, Problem

_NUMBER = re.compile(r"[-+]?0*([0-9][0-9_]{0,17})(\.0*)?")
_POWER = re.compile(r"([0-9]{1,6})(?:\.0*)?[eE]\+?([0-9])")
_BASE = re.compile(r"0[xob][0-9a-fA-F]{1,12}")


def problems_of(error: ValidationError, root: type[Strict], tree: Node, file: str) -> list[Problem]:
    """One problem for each thing to correct; the first hundred and one are translated."""
    return [
        Problem(file, node.line, node.column, f"{path}: {sentence}" if path else sentence)
        for node, path, sentence in findings(error, root, tree)
    ]


def findings(
    error: ValidationError, root: type[Strict], tree: Node
) -> Iterator[tuple[Node, str, str]]:
    """The node that is wrong, the path to it as fields are written, and a sentence."""
    for detail in error.errors(include_url=False)[: MAX_PER_FILE + 1]:
        extra = detail["type"] == "extra_forbidden"
        if detail["type"] == "too_short" and detail["input"]:
            continue  # items that are wrong are not missing
        for at, sentence in _sentences(detail, root, tree):
            node = find(tree, at, key=extra)
            yield node, _path(at[:-1] if extra else at), sentence


def _sentences(detail: ErrorDetails, root: type[Strict], tree: Node) -> list[tuple[Location, str]]:
    location = detail["loc"]
    context: Mapping[str, Any] = detail.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, Faults):
        return [(_within(location, field), text) for field, text in cause.faults]
    if isinstance(cause, NeedsQuotes):
        text = find(tree, location).text
        return [(location, f'must be {cause}: put it in quotes, "{text}"')]
    if isinstance(cause, ValueError):
        return [(location, str(cause))]
    match detail["type"]:
        case "missing":
            name = str(location[-1])
            example = _for_example(model_of(root, location), name)
            return [(location[:-1], f"{name} is missing{example}")]
        case "extra_forbidden":
            return [(location, _extra(root, location))]
        case _:
            return [(location, _wrong_value(detail, root))]


def _within(location: Location, field: Within) -> Location:
    if isinstance(field, tuple):
        return (*location, *field)
    return (*location, field) if field else location


def _extra(root: type[Strict], location: Location) -> str:
    name, holder = str(location[-1]), model_at(root, location[:-1])[0]
    if name in holder.LATER:
        advice = f"remove it, {holder.LATER[name]}"
        return f'"{name}" is not supported by this version ({VERSION}): {advice}'
    return unknown_field(name, root, location[:-1])


def _wrong_value(detail: ErrorDetails, root: type[Strict]) -> str:
    location, value = detail["loc"], detail["input"]
    context: Mapping[str, Any] = detail.get("ctx", {})
    model, field = model_at(root, location)
    match detail["type"]:
        case "model_type" | "model_attributes_type" | "union_tag_not_found":
            return _not_a_mapping(value, model)
        case "tuple_type":
            example = example_of(model_of(root, location), field)
            such = f" such as {flow(example)}" if example else ', with "- " before each item'
            return f"must be a list{such}, not {units.shown(value)}"
        case "too_short":
            example = example_of(model_of(root, location), field)
            return f"must not be empty: write for example {flow(example)}"
        case "int_type" | "int_from_float":
            return _whole_number(value)
        case "greater_than_equal":
            return f"must be at least {context['ge']}, not {value}"
        case "less_than_equal":
            return f"must be at most {context['le']}, not {value}"
        case _:
            return detail["msg"]


def model_of(root: type[Strict], location: Location) -> type[Strict]:
    """The model that has the last named field of `location`."""
    names = [index for index, part in enumerate(location) if isinstance(part, str)]
    named = [index for index in names if not str(location[index]).startswith("(")]
    return model_at(root, location[: named[-1]] if named else ())[0]


def _for_example(model: type[Strict], name: str) -> str:
    example = example_of(model, name)
    return "" if example is None else f': write for example "{name}: {flow(example)}"'


def _not_a_mapping(value: object, model: type[Strict]) -> str:
    if value is None:
        return "has no value: write one behind the colon, or remove the line"
    return f"must be {model.EXAMPLE}, not {units.shown(value)}"


def _whole_number(value: object) -> str:
    if isinstance(value, float) and value == int(value):
        return f"must be a whole number: write {int(value)}"
    if isinstance(value, str):
        if found := _NUMBER.fullmatch(value):
            return f"must be a whole number, without quotes: write {_decimal(found[1])}"
        if found := _POWER.fullmatch(value):
            return f"must be a whole number: write {int(found[1]) * 10 ** int(found[2])}"
        if value.isdecimal():
            return "is too large"
        if _BASE.fullmatch(value):
            return f"must be a whole decimal number, not {value}"
    return f"must be a whole number, not {units.shown(value)}"


def _decimal(digits: str) -> int:
    return int(digits.replace("_", "") or "0")


def _path(location: Location) -> str:
    """`scale.metrics[0].target`; which rule it is, the line tells."""
    parts = location[2:] if location[:1] == ("rules",) and len(location) > 1 else location
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        elif not part.startswith("("):
            text += f".{part}" if text else part
    return text
