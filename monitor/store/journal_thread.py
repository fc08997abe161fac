"""The journal's one thread, with a queue of limited length before it."""

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Thread
from typing import Any

import structlog

from monitor.model.now import Now
from monitor.store.journal_keeper import Keeper, Work

QUEUE = 2_000
BATCH = 100
LOOK = 1.0
"""Seconds after which the thread looks after the file's bounds, or tries it again, without work."""


def system_now() -> Now:
    """Both clocks, from any thread; the monotonic one is that of asyncio's event loop."""
    return Now(time.monotonic(), time.time())


class JournalThread(Executor):
    """An executor for `Work` alone.

    A daemon, as a disk that hangs must not keep the agent from ending.

    refused: works that found the queue full.
    """

    def __init__(self, keeper: Keeper, queue: int = QUEUE) -> None:
        self.refused = 0
        self._keeper = keeper
        self._queue: Queue[Work | None] = Queue(queue)
        self._ended: Future[None] = Future()
        self._closed = False
        self._thread = Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        return self._closed

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """fn: a `Work`, or `end`. Never waits: with the queue full its answer is the fallback."""
        if fn == self.end:
            return self.end()
        assert isinstance(fn, Work)
        if not self._closed:
            with suppress(Full):
                self._queue.put_nowait(fn)
                return fn.answer
        self.refused += fn.writes
        fn.give(fn.fallback)
        return fn.answer

    def end(self) -> Future[None]:
        """Takes no more work; done once all that was given is, and the file is closed."""
        if not self._closed:
            self._closed = True
            # A full queue ends by the thread's own look at `_closed`.
            with suppress(Full):
                self._queue.put_nowait(None)
        return self._ended

    def _run(self) -> None:
        log = structlog.get_logger("monitor.store")
        more = True
        try:
            while True:
                works = self._take(0.0 if more else LOOK)
                try:
                    more = self._keeper.do(works)
                except Exception:
                    # A fault in here must not end the journal, and never the agent.
                    log.exception("journal_fault")
                    more = False
                    self._keeper.drop()
                    for work in works:
                        work.give(work.fallback)
                if self._closed and self._queue.empty():
                    break
            self._keeper.close()
        finally:
            self._ended.set_result(None)

    def _take(self, timeout: float) -> list[Work]:
        """What is in the queue, at most BATCH; waits up to `timeout` seconds for the first."""
        works: list[Work] = []
        try:
            first = self._queue.get(timeout=timeout) if timeout else self._queue.get_nowait()
            while first is not None:
                works.append(first)
                if len(works) == BATCH:
                    break
                first = self._queue.get_nowait()
        except Empty:
            pass
        return works
