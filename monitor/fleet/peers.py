"""The connecting side: every other node's agent, as long as its node is there."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import NoReturn

from monitor.fleet.ends import End, StreamEnded
from monitor.fleet.hub import Hub
from monitor.fleet.link import Link
from monitor.fleet.messages import spell_about
from monitor.fleet.notices import Notices
from monitor.fleet.secret import Secret
from monitor.fleet.stats import Counters, FleetStats
from monitor.fleet.websocket import connector
from monitor.fleet.wire import Connect
from monitor.model.event import Event
from monitor.model.peer import About, Command, CommandResult, Peer, UsageReport
from monitor.ports.clock import Clock

LOOK_SECONDS = 1.0
FORGET_SECONDS = 15.0
_ABOUT_SECONDS = 3.0
_AT_ONCE = 64

Addresses = Callable[[], Mapping[str, tuple[str, ...]]]


class Peers:
    """Keeps a link to every node that `addresses` names, but the own one.

    addresses: node id to the "host:port" candidates of its agent, asked each second and after
    `look`. connect: how to open a wire; WebSockets by default. entropy: as os.urandom.
    on_report: node id, report, monotonic second of its receipt here.
    on_event: node id and event, of any kind.
    on_resync: node id, at each new connection before anything is heard on it, the first one
    too: events before it were not heard.
    on_gone: node id, 15 s after `addresses` named it last: drop what it said. No callback may
    raise.
    """

    def __init__(
        self,
        clock: Clock,
        secret: Secret,
        about: Callable[[], About],
        addresses: Addresses,
        *,
        on_report: Callable[[str, UsageReport, float], None],
        on_event: Callable[[str, Event], None],
        on_gone: Callable[[str], None],
        on_resync: Callable[[str], None],
        connect: Connect | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._clock = clock
        self._about = about
        self._addresses = addresses
        self._on_gone = on_gone
        self._connect = connect
        self._counters = Counters()
        self._hub = partial(
            Hub,
            clock=clock,
            secret=secret,
            about=about,
            entropy=entropy,
            on_report=on_report,
            on_event=on_event,
            on_resync=on_resync,
            counters=self._counters,
            notices=Notices(clock),
        )
        self._links: dict[str, tuple[Link, asyncio.Task[NoReturn]]] = {}
        self._vanished: dict[str, float] = {}
        self._looks = asyncio.Event()
        self._self = ("", "")
        self._said = b""
        self._said_at = 0.0

    @property
    def stats(self) -> FleetStats:
        return self._counters.snapshot()

    def peers(self) -> Mapping[str, Peer]:
        """Every node that was named last, by node id."""
        now = self._clock.now().mono
        return {node_id: link.peer(now) for node_id, (link, _) in self._links.items()}

    def look(self) -> None:
        """Addresses, or what this agent says of itself, may have changed."""
        self._looks.set()

    async def command(
        self, node_id: str, command: Command, timeout: float | None = None
    ) -> CommandResult:
        """As `Orders.give`; not done where the node is not known."""
        known = self._links.get(node_id)
        if known is None:
            return CommandResult(command.id, done=False, detail="No agent of this node is known.")
        return await known[0].command(command, timeout)

    async def run(self) -> NoReturn:
        """Until cancelled; whatever peers do, it does not raise."""
        async with AsyncExitStack() as stack:
            connect = self._connect
            if connect is None:
                connect = await stack.enter_async_context(connector())
            hub = self._hub(gate=asyncio.Semaphore(_AT_ONCE), connect=connect)
            try:
                async with asyncio.TaskGroup() as group:
                    while True:
                        self._looks.clear()
                        self._follow(hub, group)
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(LOOK_SECONDS):
                                await self._looks.wait()
            finally:
                self._links.clear()
        raise AssertionError("it runs until it is cancelled")

    def _follow(self, hub: Hub, group: asyncio.TaskGroup) -> None:
        own = self._about()
        wanted = dict(self._addresses()) if own.node_id else {}
        wanted.pop(own.node_id, None)
        now = self._clock.now().mono
        for node_id in [known for known in self._links if known not in wanted]:
            self._links.pop(node_id)[1].cancel()
            self._vanished[node_id] = now
        for node_id, addresses in wanted.items():
            self._vanished.pop(node_id, None)
            known = self._links.get(node_id)
            if known is None:
                link = Link(node_id, addresses, hub)
                self._links[node_id] = link, group.create_task(link.run())
            else:
                known[0].move(addresses)
        self._forget(now)
        self._say(own, now)

    def _forget(self, now: float) -> None:
        over = [key for key, at in self._vanished.items() if now - at >= FORGET_SECONDS]
        for node_id in over:
            del self._vanished[node_id]
            self._on_gone(node_id)

    def _say(self, own: About, now: float) -> None:
        """What this agent is, when it changes and every 3 s, so that peers know that it lives."""
        if self._self != (own.node_id, own.boot_id):
            self._self = own.node_id, own.boot_id
            for link, _ in self._links.values():
                link.end(StreamEnded(End.LEAVING, "This agent is on another node by now."))
        content = spell_about(own)
        if content == self._said and now - self._said_at < _ABOUT_SECONDS:
            return
        self._said, self._said_at = content, now
        for link, _ in self._links.values():
            link.tell_about(content)
