"""Processes on one virtual loop that can be stopped as SIGSTOP does it, and for ever as SIGKILL.

    loop = ...                      # run_on_hosts() makes it
    host = Host("m1-1")
    task = host.start(serve())      # it, and all that it begins, belongs to the host
    host.freeze()                   # from here on nothing of it runs; time goes on
    host.thaw()                     # what became due meanwhile runs now, in its order

What belongs to no host is the world: it never stands still.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

from monitor.simulate.loop import VirtualTimeLoop

T = TypeVar("T")


@dataclass(eq=False)
class Host:
    """before: called before each step of it, and may freeze it."""

    name: str
    frozen: bool = False
    parked: list[asyncio.Handle] = field(default_factory=list)
    before: Callable[[asyncio.Handle], None] | None = None
    context: Context = field(init=False)

    def __post_init__(self) -> None:
        self.context = copy_context()
        self.context.run(_HOST.set, self)

    def start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        return asyncio.get_running_loop().create_task(work, name=self.name, context=self.context)

    def freeze(self) -> None:
        self.frozen = True

    def thaw(self) -> None:
        self.frozen = False
        loop = asyncio.get_running_loop()
        loop._ready.extend(self.parked)  # type: ignore[attr-defined]
        self.parked = []


_HOST: ContextVar[Host | None] = ContextVar("host", default=None)


def this_host() -> Host | None:
    return _HOST.get()


def in_world(work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Goes on whatever becomes of the host that begins it, under the name of its task."""
    task = asyncio.current_task()
    context = copy_context()
    context.run(_HOST.set, None)
    loop = asyncio.get_running_loop()
    return loop.create_task(work, name=task.get_name() if task else None, context=context)


class _Handle(asyncio.Handle):
    __slots__ = ()

    def _run(self) -> None:
        if not _park(self):
            super()._run()  # type: ignore[misc]


class _TimerHandle(asyncio.TimerHandle):
    __slots__ = ()

    def _run(self) -> None:
        if not _park(self):
            super()._run()  # type: ignore[misc]


def _park(handle: Any) -> bool:
    host = handle._context.get(_HOST)
    if host is None:
        return False
    if host.before is not None and not host.frozen:
        host.before(handle)
    if not host.frozen:
        return False
    host.parked.append(handle)
    return True


class HostLoop(VirtualTimeLoop):
    """Hands every callback to the host that its context names."""

    def _call_soon(self, callback: Any, args: Any, context: Context | None) -> asyncio.Handle:
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)  # type: ignore[attr-defined]
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = _TimerHandle(when, callback, args, self, context)  # type: ignore[arg-type]
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer._scheduled = True  # type: ignore[attr-defined]
        return timer


def run_on_hosts(main: Coroutine[Any, Any, T], *, limit: float) -> T:
    """As `monitor.simulate.loop.run_virtual`, on a loop whose hosts can be frozen."""
    made: list[HostLoop] = []

    def make() -> HostLoop:
        made.append(HostLoop(limit=limit))
        return made[0]

    with asyncio.Runner(loop_factory=make) as runner:
        result = runner.run(main)
    if made[0].unhandled:
        raise made[0].unhandled[0]
    return result
