"""One connection to `/events`: what it asks for, and lines out of chunks."""

import json
from collections.abc import AsyncGenerator, AsyncIterator

from monitor.engine.parse_event import parse_event
from monitor.model.event import Event
from monitor.ports.errors import BadAnswer, Unreachable

MAX_LINE = 1 << 20  # bytes; an event carries all labels of its container

# The daemon joins kinds of filters by "and", the values of one kind by "or". Without the list of
# actions the exec_create, exec_start and exec_die of health checks would be most of what comes.
# With `health_status` among them it compares by prefix (moby daemon/events/filter.go), so the
# list holds no action that another, unwanted one begins with.
_ACTIONS = (
    "create",
    "start",
    "restart",
    "pause",
    "unpause",
    "update",
    "oom",
    "health_status",
    "kill",
    "stop",
    "die",
    "destroy",
    "remove",
)


def query(since_ns: int | None) -> dict[str, str]:
    """The parameters of `GET /events`."""
    filters = {"type": ["container", "node", "service", "config"], "event": list(_ACTIONS)}
    params = {"filters": json.dumps(filters, separators=(",", ":"))}
    if since_ns is not None:
        seconds, nanoseconds = divmod(max(0, since_ns), 1_000_000_000)
        params["since"] = f"{seconds}.{nanoseconds:09d}"
    return params


async def events(
    chunks: AsyncIterator[bytes], max_line: int = MAX_LINE
) -> AsyncGenerator[Event, None]:
    """Events out of chunks; never ends but by a fault, since a daemon never ends the stream.

    An unreadable line comes out as `UNREADABLE`; one longer than `max_line` is BadAnswer.
    """
    rest = bytearray()
    async for chunk in chunks:
        begin = 0
        while (end := chunk.find(b"\n", begin)) >= 0:
            rest += chunk[begin:end]
            begin = end + 1
            _check(rest, max_line)
            if line := bytes(rest).strip(b"\x1e \r"):  # RFC 7464 puts 0x1e before each text
                yield parse_event(line)
            rest.clear()
        rest += chunk[begin:]
        _check(rest, max_line)
    cut = " in the middle of an event" if rest else ""
    raise Unreachable(f"the engine ended the event stream{cut}")


def _check(line: bytearray, max_line: int) -> None:
    if len(line) > max_line:
        raise BadAnswer(f"an event of more than {max_line} bytes")
