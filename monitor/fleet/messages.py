"""What agents say to each other once they trust each other: compact JSON, each with a type `t`.

Fields and types that a release does not know are ignored, so that neighbours understand each
other during an update. Everything read here is checked and bounded: the other side is authentic,
not infallible.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.model.event import Event
from monitor.model.logs import MOST_LINES
from monitor.model.peer import About, Command, CommandResult

MAX_TASKS = 5000
LEAST = -(2.0**63)
_MAX_ID = 128
_MAX_TEXT = 1024
_MAX_EVENT = 16 * 1024
_MAX_ATTRIBUTES = 1000
_MAX_LINES = 16 * 1024
_LONGEST_EXPIRY = 600.0
# What is kept of the attributes of an event that has too many, labels of the image mostly.
_KEPT = ("com.docker.swarm.", "name", "image", "exitCode", "signal", "execDuration")


class Malformed(ValueError):
    """An authentic message makes no sense; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Table:
    """The tasks that rows refer to by position, until the next table. number: rows name it."""

    number: int
    task_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Samples:
    """A usage report whose rows still need their table: `rows.read_rows` puts them together."""

    table: int
    sent_at: float
    wall: float
    rows: list[Any]
    memory: float | None = None
    disk: float | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A type of message that a later release may have."""


Message = About | Table | Samples | Event | Command | CommandResult | Unknown


def spell(kind: str, /, **fields: Any) -> bytes:
    """ValueError for numbers that JSON does not have."""
    text = json.dumps({"t": kind, **fields}, separators=(",", ":"), allow_nan=False)
    return text.encode()


def spell_about(about: About) -> bytes:
    return spell(
        "about",
        node=about.node_id,
        name=about.node_name,
        boot=about.boot_id,
        role=about.role,
        release=about.release,
        digest=about.digest,
        acting=about.acting,
        actor=about.actor,
        http_port=about.http_port,
    )


def spell_event(event: Event) -> bytes | None:
    """None where the event is too large even without most of its attributes."""
    attributes = event.attributes
    for _ in range(2):
        found = spell(
            "event",
            type=event.type,
            action=event.action[:_MAX_TEXT],
            actor=event.actor_id,
            time_ns=event.time_ns,
            scope=event.scope,
            attributes=dict(attributes),
        )
        if len(found) <= _MAX_EVENT and len(attributes) <= _MAX_ATTRIBUTES:
            return found
        attributes = {
            key: value
            for key, value in attributes.items()
            if key.startswith(_KEPT) and len(value) <= _MAX_TEXT
        }
    return None


def spell_command(command: Command, expires_in: float) -> bytes:
    """expires_in: seconds from its arrival."""
    return spell(
        "command",
        id=command.id,
        kind=command.kind,
        term=command.term,
        expires_in=expires_in,
        arguments=dict(command.arguments),
    )


def spell_result(result: CommandResult) -> bytes:
    return spell(
        "result",
        id=result.id,
        done=result.done,
        detail=result.detail[:_MAX_TEXT],
        known=result.known,
        **({"lines": list(result.lines)} if result.lines else {}),
    )


def read(content: bytes) -> Message:
    """The message that a frame carried. Raises Malformed."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise Malformed("it is not JSON") from None
    if not isinstance(data, dict):
        raise Malformed("it is no object")
    kind = data.get("t")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        return Unknown()
    try:
        return reader(data)
    except KeyError as error:
        raise Malformed(f"{kind} lacks {error}") from None


def _read_about(data: Mapping[str, Any]) -> About:
    return About(
        node_id=identifier(data["node"]),
        node_name=_line(data.get("name", "")),
        boot_id=_line(data.get("boot", "")),
        role=_line(data.get("role", "none")),
        release=_line(data.get("release", "")),
        digest=_line(data.get("digest", "")),
        acting=data.get("acting") is True,
        actor=_line(data.get("actor", "")),
        http_port=int(number(data.get("http_port", 0), most=65535)),
    )


def _read_table(data: Mapping[str, Any]) -> Table:
    ids = data["tasks"]
    if not isinstance(ids, list) or len(ids) > MAX_TASKS:
        raise Malformed(f"a table is a list of at most {MAX_TASKS} tasks")
    found = tuple(map(identifier, ids))
    if len(set(found)) < len(found):
        raise Malformed("a table names a task twice")
    return Table(int(number(data["number"])), found)


def _read_samples(data: Mapping[str, Any]) -> Samples:
    rows = data["rows"]
    if not isinstance(rows, list) or len(rows) > MAX_TASKS:
        raise Malformed(f"samples are a list of at most {MAX_TASKS} rows")
    return Samples(
        table=int(number(data["table"])),
        sent_at=float(number(data["sent_at"], least=LEAST)),
        wall=float(number(data["wall"], least=LEAST)),
        rows=rows,
        memory=_share(data.get("memory")),
        disk=_share(data.get("disk")),
    )


def _read_event(data: Mapping[str, Any]) -> Event:
    attributes = data.get("attributes", {})
    if not isinstance(attributes, dict) or len(attributes) > _MAX_ATTRIBUTES:
        raise Malformed("an event's attributes are an object of bounded size")
    return Event(
        type=_line(data["type"]),
        action=_text(data["action"]),
        actor_id=_line(data["actor"]),
        time_ns=int(number(data["time_ns"])),
        attributes={_text(key): _text(value) for key, value in attributes.items()},
        scope=_line(data.get("scope", "local")),
    )


def _read_command(data: Mapping[str, Any]) -> Command:
    arguments = data.get("arguments", {})
    if not isinstance(arguments, dict):
        raise Malformed("a command's arguments are an object")
    return Command(
        id=identifier(data["id"]),
        kind=identifier(data["kind"]),
        term=int(number(data["term"])),
        expires_in=number(data["expires_in"], least=LEAST, most=_LONGEST_EXPIRY),
        arguments=arguments,
    )


def _read_result(data: Mapping[str, Any]) -> CommandResult:
    detail = _text(data.get("detail", ""))[:_MAX_TEXT]
    known = data.get("known", True) is True
    lines = data.get("lines", [])
    if not isinstance(lines, list) or len(lines) > MOST_LINES:
        raise Malformed(f"a result has a list of at most {MOST_LINES} lines")
    if sum(map(len, texts := tuple(map(_text, lines)))) > _MAX_LINES:
        raise Malformed(f"the lines of a result are more than {_MAX_LINES} characters")
    return CommandResult(identifier(data["id"]), data["done"] is True, detail, known, texts)


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Message]] = {
    "about": _read_about,
    "table": _read_table,
    "samples": _read_samples,
    "event": _read_event,
    "command": _read_command,
    "result": _read_result,
}


def identifier(value: object) -> str:
    """A name that may become a key or a label: 1 to 128 printable ASCII characters."""
    if (
        isinstance(value, str)
        and 0 < len(value) <= _MAX_ID
        and value.isascii()
        and value.isprintable()
    ):
        return value
    raise Malformed("an id is 1 to 128 printable ASCII characters")


def number(value: object, *, least: float = 0.0, most: float = 2.0**63) -> Any:
    """A finite number, as it stands in the message: an integer stays one."""
    if (type(value) is int or type(value) is float) and least <= value <= most:
        return value
    raise Malformed("a number is missing or out of bounds")


def _share(value: object) -> float | None:
    return None if value is None else float(number(value, most=1.0))


def _line(value: object) -> str:
    if isinstance(value, str) and len(value) <= _MAX_TEXT and (not value or value.isprintable()):
        return value
    raise Malformed("a text is one printable line of at most 1,024 characters")


def _text(value: object) -> str:
    """Any text; half a surrogate pair, which nothing could be made of later, becomes `?`."""
    if not isinstance(value, str):
        raise Malformed("a text is missing")
    return value.encode("utf-8", "replace").decode()
