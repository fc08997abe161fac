"""Hands messages to all targets, and knows which problems last."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from typing import NoReturn

from monitor.notify.forms import HELD_FOR
from monitor.notify.line import Line
from monitor.notify.message import Message
from monitor.notify.post import Post, http_post
from monitor.notify.target import Target
from monitor.ports.clock import Clock

AGAIN_AFTER = HELD_FOR / 2
"""Seconds after which Alertmanager is told again of a problem that lasts."""

QUIET = 600.0
"""Seconds within which the same failure is told once."""

LAST_TRIES = 1.0
"""Seconds that messages get to leave once the agent is to stop."""

_LOOK = 60.0
_REMEMBERED = 1000


class Notifier:
    """`tell`, `raise_problem` and `end_problem` never wait; `run` sends until it is cancelled.

    post: how a message is sent; by default over HTTP.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        clock: Clock,
        post: Callable[[], AbstractAsyncContextManager[Post]] = http_post,
    ) -> None:
        self.lines = tuple(Line(target, clock) for target in targets)
        self._clock = clock
        self._post = post
        self._problems: dict[str, Message] = {}
        self._told_at: dict[str, float] = {}
        self._raised_at: dict[str, float] = {}

    def tell(self, message: Message, *, once: bool = False) -> None:
        """once: not again what was told with the same key within 10 minutes."""
        now = self._clock.now().mono
        if once:
            if now - self._told_at.get(message.key, float("-inf")) < QUIET:
                return
            self._told_at.pop(message.key, None)
            self._told_at[message.key] = now
            if len(self._told_at) > _REMEMBERED:
                del self._told_at[next(iter(self._told_at))]
        self._put(message)

    def raise_problem(self, message: Message) -> None:
        """It lasts until `end_problem`; told once, however often it is raised meanwhile."""
        if message.key in self._problems or len(self._problems) >= _REMEMBERED:
            return
        self._problems[message.key] = message
        self._raised_at[message.key] = self._clock.now().mono
        self._put(message)

    def end_problem(self, key: str) -> None:
        """Nothing where there is none of that key."""
        message = self._problems.pop(key, None)
        self._raised_at.pop(key, None)
        if message is not None:
            self._put(replace(message, ended=self._clock.now().wall))

    def problems(self) -> frozenset[str]:
        """The keys of those that last."""
        return frozenset(self._problems)

    def hand_over(self) -> None:
        """Another agent acts: what lasts, it says itself."""
        self._problems.clear()
        self._raised_at.clear()

    async def run(self) -> NoReturn:
        async with self._post() as post, asyncio.TaskGroup() as group:
            for line in self.lines:
                group.create_task(line.run(post), name=f"notify {line.target.name}")
            while True:
                await asyncio.sleep(_LOOK)
                self._say_again()
        raise AssertionError("it runs until it is cancelled")

    async def finish(self) -> None:
        """Returns once all has left, or after 1 s; call it before `run` is cancelled."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_TRIES):
                for line in self.lines:
                    await line.idle.wait()

    def _say_again(self) -> None:
        now = self._clock.now()
        for key, message in self._problems.items():
            if now.mono - self._raised_at[key] >= AGAIN_AFTER:
                self._raised_at[key] = now.mono
                again = replace(message, since=now.wall)
                for line in self.lines:
                    if line.target.alerts:
                        line.put(again)

    def _put(self, message: Message) -> None:
        for line in self.lines:
            line.put(message)
