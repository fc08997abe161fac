"""The one family of faults that an Engine call may end in."""


class EngineError(Exception):
    """A call to the Engine did not do what was asked. `str()` is one sentence for a person."""

    reason = "error"


class Unreachable(EngineError):
    """No connection: no socket, refused, or cut off before the answer."""

    reason = "unreachable"


class DeadlineExceeded(EngineError):
    """No answer in time; a request that writes may have been carried out."""

    reason = "timeout"


class NotAManager(EngineError):
    """HTTP 503: this node is a worker, not part of a Swarm, or the Swarm has no leader."""

    reason = "not_a_manager"


class Conflict(EngineError):
    """The version is not the newest any more ("update out of sequence"), or HTTP 409."""

    reason = "conflict"


class NotFound(EngineError):
    reason = "not_found"


class Forbidden(EngineError):
    """The socket's permissions, or a proxy in front of it, do not allow the call."""

    reason = "forbidden"


class BadRequest(EngineError):
    """HTTP 4xx or 501: the Engine understood and refused."""

    reason = "refused"


class BadAnswer(EngineError):
    """Not the JSON that was expected, cut off in the middle, or HTTP 5xx.

    A request that writes may have been carried out.
    """

    reason = "bad_answer"
