"""Authentication and framing of one stream, without any I/O: bytes in, bytes out.

The side that connects says hello, the side that serves answers with its own; then the connecting
side proves that it knows the secret, and only then the serving side does, so that nobody can have
a proof to guess secrets against by merely connecting. A proof is HMAC-SHA256 with the secret as
key over the side's name and a hash of both hellos, which hold both nonces, node ids, boot ids and
versions: it fits this one conversation and this one side of it. Afterwards every frame begins
with 16 bytes of HMAC-SHA256, with a key of this conversation, over direction, number and content:
nothing can be added, left out, repeated, reordered or sent back. Contents are not encrypted.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

from monitor.fleet.ends import End, StreamEnded

PROTOCOL = 1
MAX_FRAME = 1 << 20
MAC_BYTES = 16
NONCE_BYTES = 32
_MAX_GREETING = 4096
_MAX_TEXT = 128


class Side(Enum):
    MANAGER = b"manager"  # connects
    AGENT = b"agent"  # serves

    @property
    def other(self) -> "Side":
        return Side.AGENT if self is Side.MANAGER else Side.MANAGER


@dataclass(frozen=True, slots=True)
class Hello:
    """Who speaks. nonce: 32 random bytes, new for each conversation."""

    node_id: str
    boot_id: str
    nonce: bytes
    release: str = ""
    protocol: int = PROTOCOL


class Session:
    """One side of one conversation.

    Send what `start` gives, then give `greet` each frame and send what it returns, until
    `established`; from then on `seal` and `open`. Each raises StreamEnded where the
    conversation must end; nothing may be sent or taken after that.
    expects: the node id that the other side must have, "" for any.
    """

    def __init__(self, side: Side, secret: bytes, hello: Hello, *, expects: str = "") -> None:
        self._side = side
        self._secret = secret
        self._hello = hello
        self._expects = expects
        self._said = _spell(hello)
        self._transcript = b""
        self._key = b""
        self._sent = 0
        self._taken = 0
        self._broken = False
        self.peer: Hello | None = None
        self.established = False

    def start(self) -> tuple[bytes, ...]:
        return (self._said,) if self._side is Side.MANAGER else ()

    def greet(self, frame: bytes) -> tuple[bytes, ...]:
        """Take a frame of the handshake; gives the frames to answer with."""
        if self._broken or self.established:
            raise StreamEnded(End.BAD_FRAME, "The handshake is over.")
        self._broken = True  # until this frame turns out to be right
        fields = _greeting(frame)
        answer = self._on_proof(fields) if self.peer else self._on_hello(frame, fields)
        self._broken = False
        return answer

    def late(self, seconds: float) -> StreamEnded:
        """What a handshake means that is not over by now. A server that hangs is no impostor."""
        if self._side is Side.AGENT:
            return StreamEnded(End.NO_SECRET, f"It proved no secret within {seconds:.0f} s.")
        return StreamEnded(End.UNREACHABLE, f"It did not greet within {seconds:.0f} s.")

    def seal(self, content: bytes) -> bytes:
        """The frame that carries `content`. ValueError if it is too long for one."""
        if self._broken or not self.established:
            raise StreamEnded(End.NO_SECRET, "Nothing is sent before both sides proved themselves.")
        if len(content) + MAC_BYTES > MAX_FRAME:
            raise ValueError(f"{len(content)} bytes are too many for one frame")
        self._sent += 1
        return self._mac(self._side, self._sent, content) + content

    def open(self, frame: bytes) -> bytes:
        """The content of a frame."""
        if self._broken or not self.established:
            raise StreamEnded(
                End.NO_SECRET, "Nothing is taken before both sides proved themselves."
            )
        content = frame[MAC_BYTES:]
        expected = self._mac(self._side.other, self._taken + 1, content)
        if len(frame) > MAX_FRAME or not hmac.compare_digest(frame[:MAC_BYTES], expected):
            self._broken = True
            raise StreamEnded(
                End.BAD_FRAME,
                "A frame was not what the other side sent next: it was forged or lost.",
            )
        self._taken += 1
        return content

    def _on_hello(self, frame: bytes, fields: dict[str, Any]) -> tuple[bytes, ...]:
        peer = _read_hello(fields)
        if self._expects and peer.node_id != self._expects:
            raise StreamEnded(End.OTHER_NODE, "Another node's agent answers at this address.")
        if hmac.compare_digest(peer.nonce, self._hello.nonce):
            raise StreamEnded(End.BAD_FRAME, "It sent our own hello back.")
        self.peer = peer
        first, second = frame, self._said
        if self._side is Side.MANAGER:
            first, second = second, first
        digest = hashlib.sha256(len(first).to_bytes(4, "big") + first + second)
        self._transcript = digest.digest()
        return (self._proof(self._side),) if self._side is Side.MANAGER else (self._said,)

    def _on_proof(self, fields: dict[str, Any]) -> tuple[bytes, ...]:
        given = fields.get("mac")
        if fields.get("t") != "proof" or not isinstance(given, str):
            raise StreamEnded(End.NO_SECRET, "It sent something else where its proof was due.")
        expected = self._proof_mac(self._side.other)
        if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
            raise StreamEnded(
                End.WRONG_SECRET,
                "It does not know our shared secret. Give all agents the same one.",
            )
        self._key = hmac.digest(
            self._secret, b"swarm-monitor stream key\0" + self._transcript, "sha256"
        )
        self.established = True
        return (self._proof(self._side),) if self._side is Side.AGENT else ()

    def _proof(self, side: Side) -> bytes:
        return json.dumps({"t": "proof", "mac": self._proof_mac(side)}).encode()

    def _proof_mac(self, side: Side) -> str:
        text = b"swarm-monitor stream proof\0" + side.value + b"\0" + self._transcript
        return hmac.digest(self._secret, text, "sha256").hex()

    def _mac(self, sender: Side, number: int, content: bytes) -> bytes:
        text = sender.value + b"\0" + number.to_bytes(8, "big") + content
        return hmac.digest(self._key, text, "sha256")[:MAC_BYTES]


def _spell(hello: Hello) -> bytes:
    return json.dumps(
        {
            "t": "hello",
            "protocol": hello.protocol,
            "release": hello.release,
            "node": hello.node_id,
            "boot": hello.boot_id,
            "nonce": hello.nonce.hex(),
        }
    ).encode()


def _greeting(frame: bytes) -> dict[str, Any]:
    if len(frame) > _MAX_GREETING:
        raise StreamEnded(End.BAD_FRAME, "It sent more than a greeting before its proof.")
    try:
        fields = json.loads(frame)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise StreamEnded(End.BAD_FRAME, "It does not greet as an agent does.")
    return fields


def _read_hello(fields: dict[str, Any]) -> Hello:
    protocol = fields.get("protocol")
    if fields.get("t") != "hello" or type(protocol) is not int:
        raise StreamEnded(End.BAD_FRAME, "It did not say hello.")
    # Before anything else is read: only neighbours are sure to spell the rest like this.
    if abs(protocol - PROTOCOL) > 1:
        raise StreamEnded(
            End.VERSION,
            f"It speaks version {str(protocol)[:12]} of the protocol, this agent {PROTOCOL}; they"
            " may be one apart. Update the older agent.",
        )
    texts = [fields.get(name, "") for name in ("node", "boot", "release")]
    nonce = fields.get("nonce")
    if not all(_plain(text) for text in texts) or not texts[0] or not isinstance(nonce, str):
        raise StreamEnded(End.BAD_FRAME, "Its hello does not say who it is.")
    try:
        raw = bytes.fromhex(nonce)
    except ValueError:
        raw = b""
    if len(raw) != NONCE_BYTES:
        raise StreamEnded(End.BAD_FRAME, f"Its hello has no nonce of {NONCE_BYTES} bytes.")
    return Hello(texts[0], texts[1], raw, texts[2], protocol)


def _plain(text: object) -> bool:
    return (
        isinstance(text, str) and len(text) <= _MAX_TEXT and text.isascii() and (text.isprintable())
    )
