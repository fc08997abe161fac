"""One JSON object in the labels of a Swarm config, and back."""

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

from monitor.ports.errors import EngineError

FORMAT = 1
"""Raised only where an older release could not read what is written; more fields are no reason."""

PREFIX = "swarm-monitor.state."
CHUNK = 100_000
"""Characters per label; engines took 200,000 in one."""

MOST = 700_000
"""Characters in all chunks: half of what one entry of the managers' log may hold."""

MOST_UNPACKED = 32 * 1024**2
"""Bytes of JSON; more is no state of ours but something that blows itself up when unpacked."""

_HINT = f"the labels {PREFIX}* of this config are not to be changed by hand"


class StateUnreadable(EngineError):
    """There is a state, and it is damaged, or of a newer release. It is never taken as empty."""

    reason = "state_unreadable"


class StateTooLarge(EngineError):
    """The state does not fit into a config's labels; nothing was written."""

    reason = "state_too_large"


def canonical(state: Mapping[str, Any]) -> str:
    """The same text for equal states. ValueError for what JSON has no number for."""
    return json.dumps(state, sort_keys=True, separators=(",", ":"), allow_nan=False)


def pack(text: str) -> dict[str, str]:
    """Labels that hold `text`: zlib, base64, in chunks, with a checksum. Raises StateTooLarge."""
    packed = zlib.compress(text.encode(), 3)
    encoded = base64.b64encode(packed).decode()
    if len(encoded) > MOST:
        raise StateTooLarge(
            f"the state takes {len(encoded):,} characters, and {MOST:,} is the most: let fewer "
            "rules act on fewer services, or end pauses that are not needed any more"
        )
    chunks = [encoded[at : at + CHUNK] for at in range(0, len(encoded), CHUNK)]
    head = {
        f"{PREFIX}format": str(FORMAT),
        f"{PREFIX}sha256": hashlib.sha256(packed).hexdigest(),
        f"{PREFIX}chunks": str(len(chunks)),
    }
    return head | {f"{PREFIX}{index}": chunk for index, chunk in enumerate(chunks)}


def unpack(labels: Mapping[str, str]) -> str:
    """What `pack` was given. Raises StateUnreadable, whatever is wrong with the labels."""
    form = labels.get(f"{PREFIX}format")
    if form != str(FORMAT):
        newer = form is not None and form.isdecimal() and int(form) > FORMAT
        raise StateUnreadable(
            f"it is of format {form}, written by a newer release; this one reads {FORMAT}"
            if newer
            else f"it has no label {PREFIX}format of value {FORMAT}; {_HINT}"
        )
    try:
        count = int(labels[f"{PREFIX}chunks"])
        if not 0 < count <= MOST // CHUNK:
            raise StateUnreadable(f"it says that it has {count} parts; {_HINT}")
        encoded = "".join(labels[f"{PREFIX}{index}"] for index in range(count))
        packed = base64.b64decode(encoded, validate=True)
    except KeyError as missing:
        raise StateUnreadable(f"its label {missing} is missing; {_HINT}") from None
    except (ValueError, binascii.Error):
        raise StateUnreadable(f"its labels are damaged; {_HINT}") from None
    if hashlib.sha256(packed).hexdigest() != labels.get(f"{PREFIX}sha256"):
        raise StateUnreadable(f"its checksum does not fit what it holds; {_HINT}")
    return _inflate(packed)


def _inflate(packed: bytes) -> str:
    try:
        stream = zlib.decompressobj()
        text = stream.decompress(packed, MOST_UNPACKED)
        if stream.unconsumed_tail or not stream.eof:
            raise StateUnreadable(f"it unpacks to more than {MOST_UNPACKED:,} bytes, or is cut off")
        return text.decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise StateUnreadable(f"it cannot be unpacked: {error}") from None


def parse(text: str) -> dict[str, Any]:
    """The object. Raises StateUnreadable."""
    try:
        state = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StateUnreadable(f"what it holds is no JSON: {error}") from None
    if not isinstance(state, dict):
        raise StateUnreadable(f"what it holds is a {type(state).__name__} instead of an object")
    return state
