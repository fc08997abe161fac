"""The connecting side's link to one node's agent: found, connected, lost, connected again."""

import asyncio
import contextlib
from typing import NoReturn

from monitor.fleet.conversation import Conversation
from monitor.fleet.ends import AUTH_FAILURES, End, StreamEnded
from monitor.fleet.hub import Hub
from monitor.fleet.listener import Listener
from monitor.fleet.messages import spell_about
from monitor.fleet.orders import Orders
from monitor.fleet.outbox import Outbox
from monitor.fleet.secret import SecretError
from monitor.fleet.session import NONCE_BYTES, Hello, Session, Side
from monitor.model.peer import Command, CommandResult, Peer, PeerState
from monitor.ports.backoff import Backoff

GOOD_SECONDS = 60.0
"""A connection that lasted so long was a good one: pauses begin short again."""

SILENT_SECONDS = 5.0


class Link:
    """Tries the addresses in turn until one answers as the node's agent; then the pauses grow."""

    def __init__(self, node_id: str, addresses: tuple[str, ...], hub: Hub) -> None:
        self.node_id = node_id
        self._addresses = addresses
        self._hub = hub
        self._listener = Listener(node_id, hub)
        self._orders = Orders(hub.clock)
        self._moved = asyncio.Event()
        self._outbox: Outbox | None = None
        self._address = ""
        self._state = PeerState.CONNECTING
        self._why = "It was not reached yet."
        self._times = 0

    def peer(self, now: float) -> Peer:
        """How the peer stands at the monotonic second `now`."""
        heard = self._listener
        state, why = self._state, self._why
        if state is PeerState.UP and now - heard.heard_at > SILENT_SECONDS:
            state = PeerState.SILENT
            why = f"Connected, but nothing was heard for {now - heard.heard_at:.0f} s."
        return Peer(
            node_id=self.node_id,
            state=state,
            address=self._address,
            about=heard.about,
            heard_at=heard.heard_at if self._times else None,
            skew=heard.skew,
            why=why,
        )

    def move(self, addresses: tuple[str, ...]) -> None:
        """Where the agent may be now. A new address is tried at once, unless it still answers."""
        if addresses == self._addresses:
            return
        if set(addresses) - set(self._addresses):
            self._moved.set()
        self._addresses = addresses
        silent = self.peer(self._hub.clock.now().mono).state is PeerState.SILENT
        if silent and self._address not in addresses:
            self.end(StreamEnded(End.SILENT, "It said nothing, and has another address now."))

    def end(self, reason: StreamEnded) -> None:
        """End the connection there may be; the next attempt follows."""
        if self._outbox is not None:
            self._outbox.end(reason)

    def tell_about(self, content: bytes) -> None:
        if self._outbox is not None:
            self._outbox.put_about(content)

    async def command(self, command: Command, timeout: float | None) -> CommandResult:
        return await self._orders.give(command, timeout)

    async def run(self) -> NoReturn:
        """Until cancelled."""
        backoff = Backoff(self._hub.clock)
        while True:
            if self._moved.is_set():
                self._moved.clear()
                backoff.reset()  # another container, which may listen only in a moment
            for address in self._addresses:
                lasted = await self._try(address)
                if lasted is not None:
                    if lasted >= GOOD_SECONDS:
                        backoff.reset()
                    break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(backoff.pause()):
                    await self._moved.wait()

    async def _try(self, address: str) -> float | None:
        """How long a connection to `address` lasted in seconds, None if none came about."""
        began = None
        try:
            async with contextlib.AsyncExitStack() as stack:
                async with self._hub.gate:
                    session = self._session()
                    wire = await stack.enter_async_context(self._hub.connect(address))
                    conversation = Conversation(wire, session, self._hub.counters)
                    hello = await conversation.shake_hands()
                began = self._hub.clock.now().mono
                self._address = address
                await self._converse(conversation, hello)
        except StreamEnded as end:
            self._note(end, address)
        return None if began is None else self._hub.clock.now().mono - began

    def _session(self) -> Session:
        try:
            secret = self._hub.secret.read()
        except SecretError as error:
            raise StreamEnded(End.NO_SECRET, str(error)) from None
        own = self._hub.about()
        hello = Hello(own.node_id, own.boot_id, self._hub.entropy(NONCE_BYTES), own.release)
        return Session(Side.MANAGER, secret, hello, expects=self.node_id)

    async def _converse(self, conversation: Conversation, hello: Hello) -> None:
        outbox = self._outbox = Outbox()
        counters = self._hub.counters
        counters.connected += 1
        counters.reconnects += self._times > 0
        counters.connections += 1
        self._times += 1
        self._state, self._why = PeerState.UP, ""
        self._listener.begin()
        outbox.put_about(spell_about(self._hub.about()))
        self._orders.connected(outbox, hello.boot_id)
        self._hub.on_resync(self.node_id)
        try:
            await conversation.run(outbox, lambda content: self._hear(content, outbox))
        finally:
            counters.connections -= 1
            self._outbox = None
            self._orders.disconnected()
            self._state = PeerState.CONNECTING

    def _hear(self, content: bytes, outbox: Outbox) -> bool:
        try:
            result = self._listener.hear(content)
        except StreamEnded as end:
            outbox.end(end)
            return False
        if isinstance(result, CommandResult):
            self._orders.answered(result)
        return result is not False

    def _note(self, end: StreamEnded, address: str) -> None:
        self._hub.counters.ended(end)
        self._why = str(end)
        refused = end.kind in AUTH_FAILURES
        self._state = PeerState.REFUSED if refused else PeerState.CONNECTING
        if not refused:
            return
        subject = "own secret" if end.kind is End.NO_SECRET else f"{self.node_id} {end.kind}"
        self._hub.notices.warn(
            subject, f"no stream from a node's agent. {end}", node_id=self.node_id, address=address
        )
