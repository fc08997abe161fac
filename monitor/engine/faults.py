"""Which fault an HTTP error answer is: by its status, and by its words where statuses lie.

The Engine gives 500 for most errors of the Swarm's managers, with the gRPC error as message.
"""

import json

from monitor.ports.errors import (
    BadAnswer,
    BadRequest,
    Conflict,
    DeadlineExceeded,
    EngineError,
    Forbidden,
    NotAManager,
    NotFound,
    Unreachable,
)

_MAX_WORDS = 300

_NOT_A_MANAGER = (
    "not a swarm manager",
    "not part of a swarm",
    "does not have a leader",
    "swarm is encrypted",
    "swarm certificates have expired",
)


def fault_of(status: int, body: bytes, *, writes: bool, call: str) -> EngineError:
    """The fault that an answer with an error status (or a redirect) stands for.

    writes: whether the request changes something; then what may have been carried out must not
    come out as a clear no. call: "GET /services", for the sentence.
    """
    message = _message(body)
    if message is None:
        return _not_the_engine(status, body, call)
    sentence = f"{call}: {message}"
    known = _by_words(message.lower(), sentence)
    if known is not None:
        return known
    match status:
        case 401 | 403:
            return Forbidden(sentence)
        case 404:
            return NotFound(sentence)
        case 409:
            return Conflict(sentence)
        case 408 | 504:
            return DeadlineExceeded(sentence)
        case 503 if writes and "rpc error" in message:
            # The way to the leader broke: it may have got the request before.
            return BadAnswer(sentence)
        case 503:
            return NotAManager(sentence)
        case 501:
            return BadRequest(sentence)
        case _ if 400 <= status < 500:
            return BadRequest(sentence)
    return BadAnswer(f"{sentence} (HTTP {status})")


def _by_words(message: str, sentence: str) -> EngineError | None:
    if "update out of sequence" in message:
        return Conflict(sentence)
    if any(words in message for words in _NOT_A_MANAGER):
        return NotAManager(sentence)
    if "deadline exceeded" in message or "deadlineexceeded" in message:
        return DeadlineExceeded(sentence)
    if message.strip() == "page not found":
        # Not the object but the path is unknown: must not be read as "the service is gone".
        return BadRequest(f"{sentence}: this engine does not know that call")
    return None


def _not_the_engine(status: int, body: bytes, call: str) -> EngineError:
    """The Engine's errors are JSON with a message; anything else speaks in between."""
    words = " ".join(body.decode(errors="replace").split())
    shown = "a web page" if words.startswith("<") else repr(words[:_MAX_WORDS])
    sentence = f"{call}: HTTP {status} with {shown}: not from an engine, a proxy in between?"
    match status:
        case 401 | 403 | 405 | 407:
            return Forbidden(f"{call}: HTTP {status}: a proxy in front of the engine forbids it")
        case 502 | 503:
            return Unreachable(sentence)
        case 408 | 504:
            return DeadlineExceeded(sentence)
    return BadAnswer(sentence)


def _message(body: bytes) -> str | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    message = answer.get("message") if isinstance(answer, dict) else None
    return message[:_MAX_WORDS] if isinstance(message, str) else None
