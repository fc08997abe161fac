"""The messages to one target: a bounded queue, tries with growing pauses, a bounded rate."""

import asyncio
from collections import deque
from dataclasses import dataclass, field, replace
from typing import NoReturn

import structlog

from monitor.notify.message import Message
from monitor.notify.post import Answer, Post
from monitor.notify.target import Target, TargetError
from monitor.ports.backoff import Backoff
from monitor.ports.clock import Clock

MOST = 100
"""Messages that wait; beyond that the oldest is dropped, and the next one says so."""

PER_MINUTE = 30
OLDEST = 900.0
"""Seconds after which a message is not tried again: nobody acts on it any more."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


@dataclass(slots=True)
class Counts:
    """sent: messages that were taken. failed: tries that were not. dropped: messages, by why."""

    sent: int = 0
    failed: int = 0
    dropped: dict[str, int] = field(default_factory=dict)


class Line:
    """`put` never waits; `run` sends until it is cancelled and raises nothing.

    idle: set while nothing waits and nothing is being sent.
    """

    def __init__(self, target: Target, clock: Clock) -> None:
        self.target = target
        self.counts = Counts()
        self._clock = clock
        self._queue: deque[tuple[float, Message]] = deque()
        self._there = asyncio.Event()
        self._backoff = Backoff(clock, FIRST_PAUSE, LONGEST_PAUSE)
        self._sent_at: deque[float] = deque(maxlen=PER_MINUTE)
        self._lost = 0
        self._said = ""
        self.idle = asyncio.Event()
        self.idle.set()
        self._log = structlog.get_logger("monitor.notify")

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def put(self, message: Message) -> None:
        if len(self._queue) >= MOST:
            self._queue.popleft()
            self._drop("full")
        self._queue.append((self._clock.now().mono, message))
        self._there.set()
        self.idle.clear()

    async def run(self, post: Post) -> NoReturn:
        while True:
            while not self._queue:
                self._there.clear()
                self.idle.set()
                await self._there.wait()
            await self._room()
            queued_at, message = self._queue.popleft()
            await self._deliver(post, message, queued_at + OLDEST)

    async def _room(self) -> None:
        """Returns once the minute has room for one more."""
        if len(self._sent_at) == PER_MINUTE:
            await asyncio.sleep(max(0.0, self._sent_at[0] + 60.0 - self._clock.now().mono))
        self._sent_at.append(self._clock.now().mono)

    async def _deliver(self, post: Post, message: Message, until: float) -> None:
        self._backoff.reset()
        while True:
            told = replace(message, dropped=self._lost)
            answer = await self._try(post, told)
            if not answer.why:
                self.counts.sent += 1
                self._lost -= told.dropped
                self._say("")
                return
            self.counts.failed += 1
            self._say(answer.why)
            pause = max(self._backoff.pause(), answer.wait)
            if not answer.again:
                self._drop("rejected")
                return
            if self._clock.now().mono + pause > until:
                self._drop("too_old")
                return
            await asyncio.sleep(pause)

    async def _try(self, post: Post, message: Message) -> Answer:
        try:
            if self.target.in_file:
                address = await asyncio.to_thread(self.target.address)
            else:
                address = self.target.address()
        except TargetError as error:
            return Answer(str(error), again=True)
        return await post(address, self.target.form(message))

    def _drop(self, why: str) -> None:
        self._lost += 1
        self.counts.dropped[why] = self.counts.dropped.get(why, 0) + 1

    def _say(self, why: str) -> None:
        """Once for each kind of failure, and once when it is over."""
        if why == self._said:
            return
        if why:
            self._log.warning("a notification was not taken", target=self.target.name, why=why)
        else:
            self._log.info("notifications are taken again", target=self.target.name)
        self._said = why
