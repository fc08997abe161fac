"""An event loop whose time is virtual: a day of waiting passes in milliseconds, always alike."""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import Context, copy_context
from heapq import heappop, heappush
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")
# Zero would hide `if timestamp:` mistakes; a real monotonic clock does not start there either.
START = 1000.0


class VirtualTimeStopped(Exception):
    """Virtual time cannot or may not go on; `str()` names the tasks that wait."""


class Deadlock(VirtualTimeStopped):
    """Nothing is ready and no timer is set: every task waits for something nobody will do."""


class LimitReached(VirtualTimeStopped):
    """The next timer lies beyond the limit of virtual seconds that was given."""


class _Runs:
    """As `asyncio.Handle` runs, without what is only needed where debugging is on."""

    __slots__ = ()
    _callback: Any
    _args: Any
    _loop: Any
    _context: Any

    def _run(self) -> None:
        try:
            self._context.run(self._callback, *self._args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001  (as asyncio: the loop goes on)
            message = f"Exception in callback {self._callback!r}"
            self._loop.call_exception_handler({"message": message, "exception": error})


class VirtualHandle(_Runs, asyncio.Handle):
    """A callback that is due, without what the loops of real time ask of each (debugging)."""

    __slots__ = ()

    def __init__(
        self, callback: Callable[..., Any], args: Any, loop: Any, context: Context | None
    ) -> None:
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = copy_context() if context is None else context
        self._cancelled = False
        self._repr = self._source_traceback = None


class VirtualTimer(_Runs, asyncio.TimerHandle):
    """A callback for later."""

    __slots__ = ()

    def __init__(
        self,
        when: float,
        callback: Callable[..., Any],
        args: Any,
        loop: Any,
        context: Context | None,
    ) -> None:
        self._callback: Any = callback
        self._args: Any = args
        self._loop = loop
        self._context = copy_context() if context is None else context
        self._cancelled = False
        self._repr = self._source_traceback = None
        self._when = when
        self._scheduled = True

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._callback = self._args = None  # as asyncio does: the timer lies in the heap still


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`time()` stands still while anything is ready and jumps to the next timer else.
    Sockets are not waited for. Work in an executor is: time stands still meanwhile, so that
    `asyncio.to_thread` and `call_soon_threadsafe` keep their meaning.

    Timers of one moment run in the order in which they were set. Of the loop it stands on, what
    runs for every callback is replaced: a fleet's virtual minute is 20,000 of them.
    """

    handle: ClassVar[Callable[..., asyncio.Handle]] = VirtualHandle
    timer: ClassVar[Callable[..., asyncio.TimerHandle]] = VirtualTimer

    def __init__(self, *, start: float = START, limit: float | None = None) -> None:
        self._now = start
        self._end = None if limit is None else start + limit
        self._in_threads = 0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timers_set = 0
        self.unhandled: list[BaseException] = []
        super().__init__()
        self._own_sockets = len(self._selector.get_map())  # type: ignore[attr-defined]
        self.set_exception_handler(self._remember)

    def time(self) -> float:
        return self._now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        handle = self.handle(callback, args, self, context)
        self._ready.append(handle)  # type: ignore[attr-defined]
        return handle

    def _call_soon(self, callback: Any, args: Any, context: Context | None) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        timer = self.timer(when, callback, args, self, context)
        self._timers_set += 1
        heappush(self._timers, (when, self._timers_set, timer))
        return timer

    def _run_once(self) -> None:
        """What is ready runs; where nothing is, time jumps to the next timer first."""
        ready, timers = self._ready, self._timers  # type: ignore[attr-defined]
        now = self._now
        while timers and (timers[0][0] <= now or timers[0][2].cancelled()):
            ready.append(heappop(timers)[2])
        if self._in_threads or len(self._selector.get_map()) > self._own_sockets:  # type: ignore[attr-defined]
            self._look_at_sockets(None if self._in_threads and not ready else 0)
        if not ready and not self._in_threads:
            self._jump()
            while timers and timers[0][0] <= self._now:
                ready.append(heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:  # noqa: SLF001  (as the loop it stands on)
                handle._run()  # noqa: SLF001

    def _look_at_sockets(self, timeout: float | None) -> None:
        self._process_events(self._selector.select(timeout))  # type: ignore[attr-defined]

    def _jump(self) -> None:
        if not self._timers:
            raise Deadlock(
                f"nothing is ready and no timer is set at {self._now:.3f} s{self._who()}"
            )
        when = self._timers[0][0]
        if self._end is not None and when > self._end:
            end, self._end = self._end, None  # cancelled tasks may still need time to clean up
            raise LimitReached(f"the limit of virtual time, {end:.3f} s, is reached{self._who()}")
        self._now = max(self._now, when)

    def _who(self) -> str:
        waiting = sorted(
            f"{task.get_name()}: {task.get_coro()}" for task in asyncio.all_tasks(self)
        )
        return "; waiting tasks:\n  " + "\n  ".join(waiting) if waiting else ""

    def _remember(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.unhandled.append(error or RuntimeError(str(context.get("message"))))

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        self._in_threads += 1
        try:
            future = super().run_in_executor(executor, func, *args)
        except BaseException:
            self._in_threads -= 1
            raise
        future.add_done_callback(self._left_thread)
        return future

    def _left_thread(self, _: object) -> None:
        self._in_threads -= 1

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        self._in_threads += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._in_threads -= 1


def run_virtual(
    main: Coroutine[Any, Any, T],
    *,
    limit: float | None = None,
    kind: type[VirtualTimeLoop] = VirtualTimeLoop,
) -> T:
    """Run `main` to its end on virtual time; at most `limit` virtual seconds.
    Tasks left over are cancelled. Raises Deadlock or LimitReached instead of hanging, and the
    first error of a callback or task that nobody looked at.
    """
    with (
        _rare_collections(),
        asyncio.Runner(loop_factory=lambda: kind(limit=limit)) as runner,
    ):
        loop = runner.get_loop()
        assert isinstance(loop, VirtualTimeLoop)
        # Not `runner.run`: what it does for Ctrl-C spells out all that `main` has returned.
        result = loop.run_until_complete(main)
    if loop.unhandled:
        raise loop.unhandled[0]
    return result


@contextmanager
def _rare_collections() -> Iterator[None]:
    """A simulation makes a lot that lives long and little that is cyclic: the collector, which
    looks at all of it again and again, took a seventh of the time."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
