"""Answers as the daemon spells them, errors included."""

import json
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from monitor.ports.errors import BadRequest, Conflict, EngineError, NotAManager, NotFound

NOT_A_MANAGER = (
    "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster "
    "state. Please run this command on a manager node or promote the current node to a manager."
)
NO_LEADER = (
    "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too "
    "few managers are online. Make sure more than half of the managers are online."
)


class Refused(Exception):
    """The request is answered with this status and `{"message": ...}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def refusal(error: EngineError) -> Refused:
    """The status that the daemon gives such a fault (moby's httpstatus package).

    A stale version is a 500: managers say so with a gRPC code that means nothing to the daemon.
    """
    message = str(error)
    match error:
        case NotFound():
            return Refused(404, message)
        case Conflict() if "update out of sequence" in message:
            return Refused(500, message)
        case Conflict():
            return Refused(409, message)
        case BadRequest():
            return Refused(400, message)
        case NotAManager() if "leader" in message:
            return Refused(500, NO_LEADER)
        case NotAManager():
            return Refused(503, NOT_A_MANAGER)
    return Refused(500, message)


def object_answer(content: Any, status: int = 200) -> web.Response:
    return web.Response(
        status=status, body=json.dumps(content).encode() + b"\n", content_type="application/json"
    )


def list_answer(items: Iterable[bytes]) -> web.Response:
    """A list of what is spelled as JSON already."""
    return web.Response(body=b"[" + b",".join(items) + b"]\n", content_type="application/json")


def message_answer(status: int, message: str) -> web.Response:
    return object_answer({"message": message}, status)


def done(status: int = 200) -> web.Response:
    """An answer without a body."""
    return web.Response(status=status)
