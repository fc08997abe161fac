"""What the labels of the lease's config say, to and from values."""

from collections.abc import Mapping
from dataclasses import dataclass

CONFIG = "swarm-monitor-lease"
PREFIX = "swarm-monitor.lease."
DATA = (
    b"The labels of this config say which agent of swarm-monitor acts. The agents keep them; "
    b"leave the config alone, it is made anew if it is removed.\n"
)

_MAX_TEXT = 256
_MAX_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds the lease.

    holder: boot id, "" where nobody does. term: one more at every change of holder. beat: counts
    the holder's writes, never twice the same under one boot id. digest: of what the holder would
    do. released: given up, so that nobody needs to wait.
    """

    holder: str = ""
    node_id: str = ""
    node_name: str = ""
    term: int = 0
    beat: int = 0
    digest: str = ""
    released: bool = False

    def labels(self, present: Mapping[str, str]) -> dict[str, str]:
        """All labels the config shall have: others among `present` stay as they are."""
        others = {key: value for key, value in present.items() if not key.startswith(PREFIX)}
        return others | {
            f"{PREFIX}holder": self.holder,
            f"{PREFIX}node_id": self.node_id,
            f"{PREFIX}node_name": self.node_name,
            f"{PREFIX}term": str(self.term),
            f"{PREFIX}beat": str(self.beat),
            f"{PREFIX}digest": self.digest,
            f"{PREFIX}released": "true" if self.released else "false",
        }


def read_claim(labels: Mapping[str, str]) -> Claim:
    """Raises ValueError with what is wrong, say "its label swarm-monitor.lease.term is 'x'"."""
    return Claim(
        holder=_text(labels, "holder"),
        node_id=_text(labels, "node_id"),
        node_name=_text(labels, "node_name"),
        term=_number(labels, "term"),
        beat=_number(labels, "beat"),
        digest=_text(labels, "digest"),
        released=_flag(labels, "released"),
    )


def _get(labels: Mapping[str, str], key: str) -> str:
    value = labels.get(PREFIX + key)
    if value is None:
        raise ValueError(f"its label {PREFIX}{key} is missing")
    return value


def _text(labels: Mapping[str, str], key: str) -> str:
    value = _get(labels, key)
    if len(value) > _MAX_TEXT:
        raise ValueError(f"its label {PREFIX}{key} is longer than {_MAX_TEXT} characters")
    return value


def _number(labels: Mapping[str, str], key: str) -> int:
    value = _get(labels, key)
    if not (value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS):
        raise _odd(key, value)
    return int(value)


def _flag(labels: Mapping[str, str], key: str) -> bool:
    value = _get(labels, key)
    if value not in ("true", "false"):
        raise _odd(key, value)
    return value == "true"


def _odd(key: str, value: str) -> ValueError:
    # Cut after it is written out: one odd character takes up to ten.
    return ValueError(f"its label {PREFIX}{key} is {repr(value)[:42]}")
