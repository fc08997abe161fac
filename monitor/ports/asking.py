"""Asking the Engine several things side by side."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

from monitor.ports.errors import EngineError

P = ParamSpec("P")
T = TypeVar("T")


class Asking:
    """Calls under way in one group; see `side_by_side`."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._tasks: list[asyncio.Task[object]] = []
        self.faults: list[EngineError] = []

    def ask(
        self, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Task[T]:
        """Begins the call; its result is there once the group has ended well."""

        async def answered() -> T:
            try:
                return await call(*args, **kwargs)
            except EngineError as fault:
                self.faults.append(fault)
                for other in self._tasks:
                    if other is not task:
                        other.cancel()
                raise asyncio.CancelledError from None

        task = self._group.create_task(answered())
        self._tasks.append(task)
        return task


@asynccontextmanager
async def side_by_side() -> AsyncIterator[Asking]:
    """A group of calls that ends once all are answered, or in the first EngineError.

    The others are given up then. Unlike a bare TaskGroup it never loses a cancellation: up to
    Python 3.12 a group whose child fails in the moment it is cancelled raises the failure alone.
    """
    async with asyncio.TaskGroup() as group:
        asking = Asking(group)
        yield asking
    if asking.faults:
        raise asking.faults[0]
