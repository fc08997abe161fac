"""What was decided and done, kept on this node's disk and read back at the next start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from monitor.control.book import KEPT, Book, Entry
from monitor.control.observer import Observer
from monitor.model.decision import Decision
from monitor.model.outcome import Outcome
from monitor.store.journal import Journal

FILE = "journal.sqlite"

READING_MAY_TAKE = 5.0
"""Seconds that the start of the agent waits for the disk."""


class Notebook:
    """An Observer that also writes the journal, while that is open, and hands everything on.

    Only what acted, or says something new, is written down.
    """

    def __init__(self, other: Observer) -> None:
        self._other = other
        self._journal: Journal | None = None
        self._log = structlog.get_logger("monitor.store")

    @property
    def dropped(self) -> int | None:
        """Decisions that could not be kept; None where there is no journal."""
        return None if self._journal is None else self._journal.dropped

    @asynccontextmanager
    async def open(self, folder: Path | None, book: Book) -> AsyncIterator[None]:
        """Keeps a journal in `folder` while the block lasts; None: there is none.

        Before that it puts what earlier runs kept into `book`, so that `why` knows of it. Nothing
        that happens to the disk is raised: the agent goes on without.
        """
        if folder is None:
            yield
            return
        journal = await Journal.open(folder / FILE)
        try:
            await self._read_back(journal, book)
            self._journal = journal
            yield
        finally:
            self._journal = None
            await journal.close()

    async def _read_back(self, journal: Journal, book: Book) -> None:
        try:
            async with asyncio.timeout(READING_MAY_TAKE):
                kept = await journal.by_service(KEPT)
        except TimeoutError:
            self._log.warning(f"the journal was not read within {READING_MAY_TAKE:.0f} s")
            return
        for key, decisions in kept.items():
            entries = [Entry(one, one.time, outcome=outcome) for one, outcome in decisions]
            book.load(key, entries[::-1])
        self._log.info("the journal was read", decisions=sum(map(len, kept.values())))

    async def before_write(self, decision: Decision) -> None:
        """Returns once the intent is on disk, or the journal gave up."""
        if self._journal is not None:
            await self._journal.intend(decision)

    def decided(self, decision: Decision, new: bool) -> None:
        if new and decision.action is None and self._journal is not None:
            self._journal.note(decision)
        self._other.decided(decision, new)

    def wrote(self, decision: Decision, outcome: Outcome) -> None:
        if self._journal is not None:
            self._journal.outcome(decision, outcome)
        self._other.wrote(decision, outcome)

    def learned(self, decision: Decision, outcome: Outcome | None) -> None:
        self._other.learned(decision, outcome)

    def forgot(self, rule: str, service_name: str) -> None:
        self._other.forgot(rule, service_name)
