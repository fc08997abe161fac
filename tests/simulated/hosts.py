"""Processes on one virtual loop that can be stopped as SIGSTOP does it, and for ever as SIGKILL.

    loop = ...                      # run_on_hosts() makes it
    host = Host("m1-1")
    task = host.start(serve())      # it, and all that it begins, belongs to the host
    host.freeze()                   # from here on nothing of it runs; time goes on
    host.thaw()                     # what became due meanwhile runs now, in its order

What belongs to no host is the world: it never stands still.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

from monitor.simulate.loop import VirtualHandle, VirtualTimeLoop, VirtualTimer, run_virtual

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


class _Handle(VirtualHandle):
    __slots__ = ()

    def _run(self) -> None:
        host = self._context.get(_HOST)  # type: ignore[attr-defined]
        if host is None or not _park(host, self):
            super()._run()  # type: ignore[misc]


class _Timer(VirtualTimer):
    __slots__ = ()

    def _run(self) -> None:
        host = self._context.get(_HOST)  # type: ignore[attr-defined]
        if host is None or not _park(host, self):
            super()._run()  # type: ignore[misc]


def _park(host: Host, handle: Any) -> bool:
    if host.before is not None and not host.frozen:
        host.before(handle)
    if not host.frozen:
        return False
    host.parked.append(handle)
    return True


class HostLoop(VirtualTimeLoop):
    """Hands every callback to the host that its context names."""

    handle, timer = _Handle, _Timer


def run_on_hosts(main: Coroutine[Any, Any, T], *, limit: float) -> T:
    """As `monitor.simulate.loop.run_virtual`, on a loop whose hosts can be frozen."""
    return run_virtual(main, limit=limit, kind=HostLoop)
