"""Paths to one value in a JSON document: `stats.queues[0]["ready.now"]`.

A path is keys parted by dots, `[2]` for an element of a list (`[-1]` is its last), and
`["any key"]` for keys that hold other characters than letters, digits, `_` and `-`. The empty
path is the whole document.
"""

import json
import re

Step = str | int

MAX_LENGTH = 1000

_KEY = re.compile(r"[^\s.\[\]\"'$]+")
_INDEX = re.compile(r"\[(-?[0-9]{1,9})\]")
_QUOTED = re.compile(r"\[(\"(?:[^\"\\\x00-\x1f]|\\.)*\")\]")


class BadPathError(ValueError):
    """`str()` says what is wrong and what to write instead."""


class NotThereError(LookupError):
    """The document has nothing at the path; `str()` says where it ends and what is there."""


def parse_path(path: str) -> tuple[Step, ...]:
    """Keys and indices from the outside in. Raises BadPathError."""
    if len(path) > MAX_LENGTH:
        raise BadPathError(f"the path is longer than {MAX_LENGTH} characters")
    steps: list[Step] = []
    at = 0
    while at < len(path):
        step, at = _step(path, at)
        steps.append(step)
    return tuple(steps)


def path_error(path: str) -> str | None:
    """What is wrong with a path and what to write instead, as one sentence; None if it is fine."""
    try:
        parse_path(path)
    except BadPathError as error:
        return str(error)
    return None


def shown(steps: tuple[Step, ...]) -> str:
    """The steps as a path that `parse_path` turns into the same steps."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step)}]"
    return text


def value_at(document: object, steps: tuple[Step, ...]) -> object:
    """Raises NotThereError."""
    value = document
    for count, step in enumerate(steps):
        place = _place(steps[:count])
        if isinstance(step, int):
            value = _element(value, step, place)
        else:
            value = _member(value, step, place)
    return value


def kind(value: object) -> str:
    """What a JSON value is, with its article: `a list of 3`, `the text "ok"`."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case dict():
            return "an object" if value else "an empty object"
        case list():
            return f"a list of {len(value)}" if value else "an empty list"
        case str():
            return f"the text {_cut(json.dumps(value, ensure_ascii=False))}"
        case _:
            return _cut(str(value))


def _step(path: str, at: int) -> tuple[Step, int]:
    if path[at] == "[":
        if index := _INDEX.match(path, at):
            return int(index[1]), index.end()
        if quoted := _QUOTED.match(path, at):
            try:
                key: str = json.loads(quoted[1])
            except ValueError:
                raise BadPathError(f"{quoted[1]} is not a JSON string") from None
            return key, quoted.end()
        rest = _cut(path[at:])
        raise BadPathError(f'{rest} is no step: write [0] for an element or ["key"] for a key')
    start = at
    if path[at] == "." and at > 0:
        start = at + 1
    elif at > 0:
        raise BadPathError(f"a dot is missing before {_cut(path[at:])!r}: write a.b or a[0].b")
    if path.startswith("$", start):
        raise BadPathError('leave out the $: a path begins with a key, as in stats.queues[0]["a"]')
    key_match = _KEY.match(path, start)
    if key_match is None:
        rest = _cut(path[start:])
        found = f"{rest!r} is not a key" if rest else "the path ends with a dot"
        raise BadPathError(f'{found}: write a.b, a[0] or, for keys with other signs, ["a key"]')
    return key_match[0], key_match.end()


def _place(steps: tuple[Step, ...]) -> str:
    return f"under {shown(steps)!r}" if steps else "at its top"


def _member(value: object, key: str, place: str) -> object:
    if not isinstance(value, dict):
        raise NotThereError(f"has {kind(value)} {place}, which has no keys such as {key!r}")
    if key in value:
        found: object = value[key]
        return found
    some = ", ".join(repr(_cut(str(name), 40)) for name in sorted(value, key=str)[:10])
    there = f"there is {some}{', ...' if len(value) > 10 else ''}" if some else "there is nothing"
    raise NotThereError(f"has no key {key!r} {place}; {there}")


def _element(value: object, index: int, place: str) -> object:
    if not isinstance(value, list):
        raise NotThereError(f"has {kind(value)} {place}, which has no element [{index}]")
    if not -len(value) <= index < len(value):
        raise NotThereError(f"has {kind(value)} {place}, which has no element [{index}]")
    found: object = value[index]
    return found


def _cut(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
