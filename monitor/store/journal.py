"""The journal: what was decided and what became of it, on this node's disk."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monitor.model.decision import Decision
from monitor.model.now import Now
from monitor.model.outcome import Outcome
from monitor.store.journal_bounds import JournalLimits
from monitor.store.journal_keeper import RETRY, Keeper, Work
from monitor.store.journal_row import Kept, Reader
from monitor.store.journal_thread import JournalThread, system_now

PATIENCE = 2.0
"""Seconds that a caller waits for the disk; then it goes on without."""

READ_PATIENCE = 30.0

DEFAULT_LIMITS = JournalLimits()


class Journal:
    """Keeps decisions in a SQLite file. Nothing here raises for what the disk does, or blocks.

    What could not be written is owed, up to 256 writes, and tried again each 60 s; what is beyond
    that is dropped and counted.
    """

    def __init__(self, keeper: Keeper, thread: JournalThread, now: Callable[[], Now]) -> None:
        """Use `open`."""
        self._keeper = keeper
        self._thread = thread
        self._now = now
        self._unreadable = 0
        self._late: asyncio.Future[Any] | None = None

    @classmethod
    async def open(
        cls,
        path: Path,
        limits: JournalLimits = DEFAULT_LIMITS,
        *,
        now: Callable[[], Now] = system_now,
        retry: float = RETRY,
    ) -> "Journal":
        """Opens or creates the file and its folder, where that can be; see `why`.

        now: both clocks; called also in the journal's thread, where no event loop runs.
        retry: seconds until a file that failed is tried again.
        """
        keeper = Keeper(path, limits, now, retry)
        journal = cls(keeper, JournalThread(keeper), now)
        await journal._wait(Work(lambda _file, _now: None), PATIENCE)
        return journal

    @property
    def state(self) -> str:
        """`open`; `degraded`: nothing is being kept, see `why`; `closed`."""
        if self._thread.closed:
            return "closed"
        return "degraded" if self.why else "open"

    @property
    def why(self) -> str:
        """Why nothing is being kept, in one sentence; "" while all is well."""
        if self._hangs:
            return f"the journal's disk has not answered for more than {PATIENCE:g} s"
        return self._keeper.why

    @property
    def dropped(self) -> int:
        """Writes that were lost for good, since the start."""
        return self._keeper.dropped + self._thread.refused

    @property
    def owed(self) -> int:
        """Writes kept back until the file can be written again."""
        return self._keeper.owed

    @property
    def unreadable(self) -> int:
        """Rows that were passed over in reading: they hold no decision we know."""
        return self._unreadable

    async def intend(self, decision: Decision) -> None:
        """Keeps that this decision is about to be written; returns once that is on disk.

        After 2 s without an answer it returns all the same, and does not wait at all as long as
        the disk owes that answer: the writes of other services must not each wait in turn.
        """
        work = _put(decision, intended=True)
        if self._hangs:
            self._thread.submit(work)
        else:
            await self._wait(work, PATIENCE)

    def outcome(self, decision: Decision, outcome: Outcome) -> None:
        """What became of it; kept soon. A later one of the same decision takes its place."""
        self._thread.submit(_put(decision, intended=True, outcome=outcome))

    def note(self, decision: Decision) -> None:
        """A decision without an action, that changed reason or number; kept soon."""
        self._thread.submit(_put(decision))

    async def newest(
        self, limit: int, service_name: str | None = None, rule: str | None = None
    ) -> Sequence[Kept]:
        """Decisions of earlier runs and this one, newest first; none where they cannot be read.

        Those of earlier runs are in this run's monotonic time, their ages clamped; a write whose
        end an earlier run did not see comes with an outcome that says so.
        """
        work = Work(lambda file, _: file.newest(limit, service_name, rule), fallback=())
        return await self._read(work)

    async def by_service(self, limit_per_service: int) -> Mapping[tuple[str, str], list[Kept]]:
        """By service id and rule the newest, newest first; otherwise as `newest`."""
        work = Work(lambda file, _: file.by_service(limit_per_service), fallback=())
        found: defaultdict[tuple[str, str], list[Kept]] = defaultdict(list)
        for decision, outcome in await self._read(work):
            found[decision.subject_id, decision.rule].append((decision, outcome))
        return dict(found)

    async def _read(self, work: Work) -> list[Kept]:
        rows = await self._wait(work, READ_PATIENCE)
        reader = Reader(self._now(), self._keeper.run)
        # Not in the journal's own thread: ten thousand take seconds, and intents wait there.
        found = await asyncio.to_thread(reader.read, rows)
        self._unreadable += reader.unreadable
        return found

    async def close(self) -> None:
        """Writes out what is in hand, for at most 2 s. What comes later is dropped and counted."""
        ended = asyncio.get_running_loop().run_in_executor(self._thread, self._thread.end)
        await asyncio.wait({ended}, timeout=PATIENCE)

    @property
    def _hangs(self) -> bool:
        return self._late is not None and not self._late.done()

    async def _wait(self, work: Work, patience: float) -> Any:
        """Waits without cancelling it: what was begun is finished, late or not."""
        # Through the loop, which thus knows that a thread is at work: virtual time stands still.
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        done, _ = await asyncio.wait({future}, timeout=patience)
        if done:
            return future.result()
        self._late = future
        return work.fallback


def _put(decision: Decision, *, intended: bool = False, outcome: Outcome | None = None) -> Work:
    return Work(lambda file, now: file.put(decision, intended, outcome, now), writes=True)
