"""A decision as a row of the journal, and back."""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from monitor.model.codec import Codec
from monitor.model.decision import Decision
from monitor.model.now import Now
from monitor.model.outcome import Outcome, OutcomeKind

LARGE = 1024
"""Bytes from which a decision is compressed; inputs of many tasks shrink to about a tenth."""

_ZLIB = b"\x78"  # its first byte; JSON of an object begins with a brace

Kept = tuple[Decision, Outcome | None]
"""A decision and what became of it; None: nothing to become of, or not known yet."""

ENDED = Outcome(OutcomeKind.UNKNOWN, "the agent ended before it knew")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it is read; `run` says which start of the agent wrote it."""

    seq: int
    run: str
    intended: int
    outcome: str | None
    detail: str
    posted: str
    body: bytes


COLUMNS = "seq, run, intended, outcome, detail, posted, body"


def pack(codec: Codec, decision: Decision) -> bytes:
    """The whole decision. Raises TypeError, ValueError or RecursionError for a malformed one."""
    plain = json.dumps(
        codec.encode(decision, Decision), separators=(",", ":"), allow_nan=False
    ).encode()
    return zlib.compress(plain, 6) if len(plain) > LARGE else plain


def unpack(codec: Codec, body: bytes) -> Decision:
    """Raises zlib.error, ValueError, KeyError, TypeError or AttributeError for no decision."""
    plain = zlib.decompress(body) if body[:1] == _ZLIB else body
    data: Any = json.loads(plain)
    decision = codec.decode(data, Decision)
    if not isinstance(decision, Decision):
        raise TypeError("not a decision")
    return decision


class Reader:
    """Rows, newest first, to decisions in the monotonic time of this run.

    now: the moment of reading. run: the mark of this run. unreadable: rows passed over so far.
    """

    def __init__(self, now: Now, run: str) -> None:
        self._codec = Codec()
        self._now = now
        self._run = run
        self.unreadable = 0

    def read(self, rows: Iterable[Row]) -> list[Kept]:
        found: list[Kept] = []
        latest = self._now.mono
        for row in rows:
            try:
                decision = unpack(self._codec, row.body)
                outcome = self._outcome(row)
            except (zlib.error, ValueError, KeyError, TypeError, AttributeError):
                self.unreadable += 1
                continue
            if row.run != self._run:
                decision = self._moved(decision, latest)
            latest = min(latest, decision.time.mono)
            found.append((decision, outcome))
        return found

    def _moved(self, decision: Decision, latest: float) -> Decision:
        """Monotonic times of another run mean nothing here: what counts is the age, by wall time.

        No decision comes out newer than now or than one that was written down after it, whatever
        the wall clock did in between.
        """
        age = max(0.0, self._now.wall - decision.time.wall)
        mono = min(latest, self._now.mono - age)
        moved = mono - decision.time.mono
        return replace(
            decision,
            time=Now(mono, decision.time.wall),
            holding=tuple((key, since + moved) for key, since in decision.holding),
        )

    def _outcome(self, row: Row) -> Outcome | None:
        if row.outcome is not None:
            return Outcome(OutcomeKind(row.outcome), row.detail, row.posted)
        return ENDED if row.intended and row.run != self._run else None
