"""Does the journal's work in its thread, through whatever happens to the file."""

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from monitor.model.codec import Codec
from monitor.model.now import Now
from monitor.store.journal_bounds import JournalLimits, overfull, prune
from monitor.store.journal_file import JournalFile
from monitor.store.journal_schema import put_aside
from monitor.store.journal_trouble import FAULTS, Cure, cure, sentence, spoils_one

RETRY = 60.0
"""Seconds until a file that failed is tried again; 1 s where another process writes."""
RETRY_SOON = 1.0

OWED = 256
"""Writes kept back for then, the newest; older ones are dropped and counted."""


@dataclass(frozen=True, slots=True)
class Work:
    """do: what is done with the file. fallback: the answer where that fails.

    Calling it is of no use: an event loop only hands callables to an executor.
    """

    do: Callable[[JournalFile, Now], Any]
    fallback: Any = None
    writes: bool = False
    answer: Future[Any] = field(default_factory=Future, compare=False)

    def __call__(self) -> Any:
        return self.fallback

    def give(self, found: Any) -> None:
        with suppress(InvalidStateError):  # nobody waits any more, or it was answered before
            self.answer.set_result(found)


class Keeper:
    """Belongs to the thread, but for `run`, `why`, `dropped` and `owed`, which anybody may read.

    run: the mark of this run of the agent.
    why: "" while the file can be written, else one sentence. dropped: writes lost for good.
    """

    def __init__(
        self, path: Path, limits: JournalLimits, now: Callable[[], Now], retry: float = RETRY
    ) -> None:
        self.run = os.urandom(8).hex()
        self.why = "it was not opened yet"
        self.dropped = 0
        self._path = path
        self._limits = limits
        self._now = now
        self._retry = retry
        self._codec = Codec()
        self._file: JournalFile | None = None
        self._waiting: deque[Work] = deque()
        self._retry_at: float | None = 0.0  # None: the file is in order
        self._log = structlog.get_logger("monitor.store")

    @property
    def owed(self) -> int:
        """Writes kept back until the file can be written again."""
        return len(self._waiting)

    def do(self, works: Sequence[Work]) -> bool:
        """One batch, its writes as one transaction. Returns whether there is more to prune."""
        now = self._now()
        if self._retry_at is not None and now.mono >= self._retry_at:
            self._open(now)
        self._waiting.extend(work for work in works if work.writes)
        if self._retry_at is None and self._waiting:
            self._write(now)
        self._give_up()
        for work in works:
            if not work.writes:
                work.give(self._read(work, now))
        return self._prune(now)

    def drop(self) -> None:
        """Gives up all that is owed, for a fault that nobody thought of: it may lie in that."""
        for work in self._waiting:
            work.give(work.fallback)
        self.dropped += len(self._waiting)
        self._waiting.clear()

    def close(self) -> None:
        """Writes what is owed if that can be, and lets go of the file."""
        self._retry_at = None if self._retry_at is None else 0.0
        self.do(())
        self.drop()
        self._let_go()
        self.why = "it was closed"

    def _open(self, now: Now) -> None:
        self._let_go()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._opened(now)
        except FAULTS as fault:
            self._failed(fault, now)
            return
        if self.why and (self.dropped or self._waiting):
            self._log.info(
                "journal_writable_again", path=str(self._path), dropped=self.dropped, owed=self.owed
            )
        self.why = ""
        self._retry_at = None

    def _opened(self, now: Now) -> JournalFile:
        wal = self._limits.wal_bytes
        try:
            return JournalFile(self._path, self.run, self._codec, now, wal)
        except FAULTS as fault:
            if cure(fault) is not Cure.BEGIN_ANEW:
                raise
            self._put_aside(fault, now)
        return JournalFile(self._path, self.run, self._codec, now, wal)

    def _put_aside(self, fault: BaseException, now: Now) -> None:
        aside = put_aside(self._path, now.wall)
        self._log.error(
            "journal_begun_anew", path=str(self._path), aside=str(aside), why=sentence(fault)
        )

    def _write(self, now: Now) -> None:
        file = self._file
        assert file is not None
        works = tuple(self._waiting)
        try:
            if overfull(file, self._limits):
                raise OSError("another program reads it for so long that its log is full")
            with file.transaction():
                answers = [self._one(work, file, now) for work in works]
        except FAULTS as fault:
            self._failed(fault, now)
            return
        self._waiting.clear()
        for work, answer in zip(works, answers, strict=True):
            work.give(answer)

    def _one(self, work: Work, file: JournalFile, now: Now) -> Any:
        try:
            return work.do(file, now)
        except Exception as fault:
            if not spoils_one(fault):
                raise
            self.dropped += 1
            self._log.error("journal_could_not_keep_a_decision", why=str(fault))
            return work.fallback

    def _read(self, work: Work, now: Now) -> Any:
        if self._file is None:
            return work.fallback
        try:
            return work.do(self._file, now)
        except FAULTS as fault:
            self._failed(fault, now)
            return work.fallback

    def _prune(self, now: Now) -> bool:
        if self._file is None or self._retry_at is not None:
            return False
        try:
            if self._file.in_place():
                return prune(self._file, self._limits, now)
            # Removed under our hands: what is written into it would be lost without a word.
            self._log.warning("journal_file_was_removed", path=str(self._path))
            self._open(now)
        except FAULTS as fault:
            self._failed(fault, now)
        return False

    def _failed(self, fault: BaseException, now: Now) -> None:
        """Says it once, and when to try again. A broken file is put aside at once."""
        way = cure(fault)
        if way is Cure.BEGIN_ANEW and self._file is not None:
            self._let_go()
            try:
                self._put_aside(fault, now)
            except OSError as second:
                fault, way = second, Cure.WAIT
            else:
                self._retry_at = now.mono
                self._open(now)
                return
        why = f"the journal {self._path} cannot be written: {sentence(fault)}"
        if why != self.why and way is not Cure.SOON:
            self._log.error("journal_not_written", why=why, again_in_seconds=self._retry)
        self.why = why
        self._retry_at = now.mono + (RETRY_SOON if way is Cure.SOON else self._retry)

    def _give_up(self) -> None:
        """Nobody waits for what is owed; and of that there is a bound."""
        for work in self._waiting:
            work.give(work.fallback)
        while len(self._waiting) > OWED:
            self._waiting.popleft()
            self.dropped += 1

    def _let_go(self) -> None:
        if self._file is not None:
            with suppress(*FAULTS):
                self._file.close()
            self._file = None
