"""The serving side: what this agent tells every manager that connects."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from monitor.fleet.commands import CommandDesk, OnCommand, refuse_all
from monitor.fleet.conversation import Conversation
from monitor.fleet.ends import AUTH_FAILURES, End, StreamEnded
from monitor.fleet.messages import (
    Malformed,
    Unknown,
    read,
    spell_about,
    spell_event,
    spell_result,
)
from monitor.fleet.notices import Notices
from monitor.fleet.outbox import Outbox
from monitor.fleet.places import MAX_CONNECTIONS, MAX_STRANGERS, Places
from monitor.fleet.rows import ReportEncoder
from monitor.fleet.secret import Secret, SecretError
from monitor.fleet.session import NONCE_BYTES, Hello, Session, Side
from monitor.fleet.stats import Counters, FleetStats
from monitor.fleet.websocket import listen
from monitor.fleet.wire import Wire
from monitor.model.event import Event
from monitor.model.peer import About, Command, CommandResult, UsageReport
from monitor.ports.clock import Clock


def _ignore(about: About, address: str) -> None: ...


def _forget(node_id: str) -> None: ...


class StreamServer:
    """Serves managers: one connection for each of them, the newest where there are several.

    about: what this agent says of itself; call `about_changed` when it changes.
    on_command: carries out a command, at most once per id; by default all are refused.
    on_manager_about: what a manager says of itself, and the host it connects from.
    on_manager_gone: its node id, when it is not connected any more.
    entropy: as os.urandom. No callback may raise.
    """

    def __init__(
        self,
        clock: Clock,
        secret: Secret,
        about: Callable[[], About],
        *,
        on_command: OnCommand = refuse_all,
        on_manager_about: Callable[[About, str], None] = _ignore,
        on_manager_gone: Callable[[str], None] = _forget,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._secret = secret
        self._about = about
        self._on_manager_about = on_manager_about
        self._on_manager_gone = on_manager_gone
        self._entropy = entropy
        self._counters = Counters()
        self._desk = CommandDesk(clock, on_command, self._counters)
        self._notices = Notices(clock)
        self._encoder = ReportEncoder()
        self._outboxes: dict[str, Outbox] = {}  # by the manager's node id
        self._places = Places()

    @property
    def stats(self) -> FleetStats:
        return replace(self._counters.snapshot(), connections=len(self._outboxes))

    @asynccontextmanager
    async def serve(self, host: str, port: int) -> AsyncIterator[int]:
        """Listens until the block ends; gives the port, chosen by the system where it was 0.

        An empty host means every address. Raises OSError where it cannot listen.
        """
        most = MAX_CONNECTIONS + MAX_STRANGERS
        async with self.open(), listen(self.attend, host, port, most) as bound:
            try:
                yield bound()
            finally:
                self._dismiss()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """For wires that are handed to `attend` by other means than `serve`."""
        async with self._desk.open():
            try:
                yield
            finally:
                self._dismiss()

    def publish(self, report: UsageReport) -> None:
        """To be called each second: managers take silence for an agent that hangs.

        Those that connect later wait for the next one: an old report would look like a new one.
        """
        encoded = self._encoder.encode(report)
        self._counters.tasks_dropped += encoded.dropped
        for outbox in self._outboxes.values():
            outbox.put_report(encoded)

    def tell(self, event: Event) -> None:
        """An event, to the managers that are connected now."""
        if not self._outboxes:
            return
        content = spell_event(event)
        if content is None:
            self._counters.events_dropped += 1
            return
        for outbox in self._outboxes.values():
            outbox.put(content)

    def about_changed(self) -> None:
        content = spell_about(self._about())
        for outbox in self._outboxes.values():
            outbox.put_about(content)

    async def attend(self, wire: Wire, address: str) -> None:
        """Serve one connection until it ends. address: the host it comes from, for the log."""
        try:
            with self._places.any():
                with self._places.stranger(address):
                    conversation, peer = await self._welcome(wire)
                await self._converse(conversation, peer, address)
        except StreamEnded as end:
            self._counters.ended(end)
            if end.kind in AUTH_FAILURES:
                self._notices.warn(
                    f"{address} {end.kind}", f"a connection was refused. {end}", address=address
                )
            await wire.close(end.kind)

    async def _welcome(self, wire: Wire) -> tuple[Conversation, Hello]:
        about = self._about()
        if not about.node_id:
            raise StreamEnded(End.NOT_READY, "This agent does not know its node yet.")
        try:
            secret = self._secret.read()
        except SecretError as error:
            self._counters.ended(StreamEnded(End.NO_SECRET, ""))
            self._notices.warn("own secret", f"no connection can be accepted. {error}")
            raise StreamEnded(End.NOT_READY, str(error)) from None
        hello = Hello(about.node_id, about.boot_id, self._entropy(NONCE_BYTES), about.release)
        session = Session(Side.AGENT, secret, hello)
        conversation = Conversation(wire, session, self._counters)
        return conversation, await conversation.shake_hands()

    async def _converse(self, conversation: Conversation, peer: Hello, address: str) -> None:
        outbox = Outbox()
        self._counters.connected += 1
        outbox.put_about(spell_about(self._about()))
        before = self._outboxes.get(peer.node_id)
        if before is not None:
            before.end(StreamEnded(End.REPLACED, "It connected anew."))
        self._outboxes[peer.node_id] = outbox

        def take(content: bytes) -> bool:
            return self._take(content, peer, outbox, address)

        try:
            await conversation.run(outbox, take)
        finally:
            if self._outboxes.get(peer.node_id) is outbox:
                del self._outboxes[peer.node_id]
                self._on_manager_gone(peer.node_id)

    def _take(self, content: bytes, peer: Hello, outbox: Outbox, address: str) -> bool:
        try:
            message = read(content)
        except Malformed as error:
            self._counters.malformed += 1
            self._notices.warn(
                f"{peer.node_id} malformed",
                f"a manager's message makes no sense: {error}",
                node_id=peer.node_id,
            )
            return False
        match message:
            case About() if message.node_id == peer.node_id:
                self._on_manager_about(message, address)
            case About():
                outbox.end(StreamEnded(End.OTHER_NODE, "It is another node's agent by now."))
            case Command():
                self._desk.submit(message, lambda result: _answer(outbox, result))
            case Unknown():
                self._counters.unknown += 1
            case _:
                pass  # what agents tell, said by a manager: nothing to do with it
        return True

    def _dismiss(self) -> None:
        for outbox in self._outboxes.values():
            outbox.end(StreamEnded(End.LEAVING, "This agent stops."))


def _answer(outbox: Outbox, result: CommandResult) -> None:
    outbox.put(spell_result(result))
