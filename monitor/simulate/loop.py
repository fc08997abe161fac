"""An event loop whose time is virtual: a day of waiting passes in milliseconds, always alike."""

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")
# Zero would hide `if timestamp:` mistakes; a real monotonic clock does not start there either.
START = 1000.0


class VirtualTimeStopped(Exception):
    """Virtual time cannot or may not go on; `str()` names the tasks that wait."""


class Deadlock(VirtualTimeStopped):
    """Nothing is ready and no timer is set: every task waits for something nobody will do."""


class LimitReached(VirtualTimeStopped):
    """The next timer lies beyond the limit of virtual seconds that was given."""


class _JumpingSelector(selectors.DefaultSelector):
    """Turns the loop's wait for the next timer into a jump of its clock."""

    jump: Callable[[float | None], bool]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.jump(timeout):
            return []
        return super().select(None)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`time()` stands still while anything is ready and jumps to the next timer else.
    Sockets are not waited for. Work in an executor is: time stands still meanwhile, so that
    `asyncio.to_thread` and `call_soon_threadsafe` keep their meaning.
    """

    def __init__(self, *, start: float = START, limit: float | None = None) -> None:
        self._now = start
        self._end = None if limit is None else start + limit
        self._in_threads = 0
        self.unhandled: list[BaseException] = []
        selector = _JumpingSelector()
        selector.jump = self._jump
        super().__init__(selector)
        self._run_timers_up_to_now()
        self.set_exception_handler(self._remember)

    def time(self) -> float:
        return self._now

    def _jump(self, timeout: float | None) -> bool:
        """Move the clock by `timeout`; False if a thread is at work and is to be waited for."""
        if self._in_threads:
            return False
        if timeout is None:
            raise Deadlock(
                f"nothing is ready and no timer is set at {self._now:.3f} s{self._who()}"
            )
        if self._end is not None and self._now + timeout > self._end:
            end, self._end = self._end, None  # cancelled tasks may still need time to clean up
            raise LimitReached(f"the limit of virtual time, {end:.3f} s, is reached{self._who()}")
        self._now += timeout
        timer = self._scheduled[0].when()  # type: ignore[attr-defined]
        if math.isclose(timer, self._now, rel_tol=1e-12):
            self._now = timer  # not a rounding error beside it
        self._run_timers_up_to_now()
        return True

    def _run_timers_up_to_now(self) -> None:
        """asyncio runs timers a clock's resolution early. Here time would stand still for ever
        where two tasks look for the same moment: each is woken early and sleeps anew in turns.
        """
        self._clock_resolution = math.ulp(self._now)

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


def run_virtual(main: Coroutine[Any, Any, T], *, limit: float | None = None) -> T:
    """Run `main` to its end on virtual time; at most `limit` virtual seconds.
    Tasks left over are cancelled. Raises Deadlock or LimitReached instead of hanging, and the
    first error of a callback or task that nobody looked at.
    """
    loop: VirtualTimeLoop

    def make() -> VirtualTimeLoop:
        nonlocal loop
        loop = VirtualTimeLoop(limit=limit)
        return loop

    with asyncio.Runner(loop_factory=make) as runner:
        result = runner.run(main)
    if loop.unhandled:
        raise loop.unhandled[0]
    return result
