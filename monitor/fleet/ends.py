"""Why a stream between two agents ends: a closed set, with what to tell the other side."""

from enum import StrEnum


class End(StrEnum):
    """The first five are failures of authentication, which are counted and logged."""

    NO_SECRET = "no_secret"  # noqa: S105  (nothing was proved, or there is no secret here)
    WRONG_SECRET = "wrong_secret"  # noqa: S105  (the proof does not fit)
    BAD_FRAME = "bad_frame"  # no hello, or a frame that the session did not seal like that
    VERSION = "version"  # a protocol too old or too new
    REFUSED = "refused"  # the other side says one of the above about us
    OTHER_NODE = "other_node"  # it is authentic, but not whom we looked for
    FULL = "full"  # more connections than are served at once
    NOT_READY = "not_ready"  # it does not know its own node, or its secret, yet
    SLOW = "slow"  # it does not read what is sent
    SILENT = "silent"  # nothing was heard for too long
    REPLACED = "replaced"  # the same agent connected anew
    LEAVING = "leaving"  # one side stops, in order
    CLOSED = "closed"  # the connection broke
    UNREACHABLE = "unreachable"  # there was none


AUTH_FAILURES = (End.NO_SECRET, End.WRONG_SECRET, End.BAD_FRAME, End.VERSION, End.REFUSED)

# WebSocket close codes 4000 to 4999 are for applications (RFC 6455, 7.4.2).
CLOSE_CODES = {
    End.NO_SECRET: 4401,
    End.WRONG_SECRET: 4403,
    End.BAD_FRAME: 4400,
    End.VERSION: 4426,
    End.OTHER_NODE: 4404,
    End.FULL: 4429,
    End.NOT_READY: 4503,
    End.SLOW: 4413,
    End.SILENT: 4408,
    End.REPLACED: 4409,
    End.LEAVING: 1001,
}

# What it means to be told so. Its own words are not repeated: nothing proves whose they are.
_TOLD = {
    4401: (End.REFUSED, "It refused us: we proved no secret in time."),
    4403: (
        End.REFUSED,
        "It refused us: its shared secret is another one. Give all agents the same.",
    ),
    4400: (End.REFUSED, "It refused us: what arrived there was not what we sent."),
    4426: (
        End.REFUSED,
        "It refused us: our protocol versions are more than one apart. Update the older agent.",
    ),
    4429: (End.FULL, "It serves as many connections as it may."),
    4503: (End.NOT_READY, "It does not know its own node, or has no usable secret, yet."),
    4413: (End.SLOW, "It dropped us because we read too slowly."),
    4408: (End.SILENT, "It dropped us because it heard nothing from us."),
    4409: (End.REPLACED, "It has a newer connection from this node."),
    1001: (End.LEAVING, "It stops."),
}


class StreamEnded(Exception):
    """A stream is over, or never was one; `str()` is one sentence, without any secret."""

    def __init__(self, kind: End, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


def told(code: int | None) -> StreamEnded:
    """What a close code from the other side means."""
    kind, sentence = _TOLD.get(code or 0, (End.CLOSED, "The connection broke."))
    return StreamEnded(kind, sentence)
