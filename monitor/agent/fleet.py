"""This agent among the others: what it tells them, what they tell it, who of them acts."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from monitor import __version__
from monitor.agent.core import Core
from monitor.agent.event_delays import EventDelays
from monitor.agent.neighbours import neighbours
from monitor.fleet.peers import Peers
from monitor.fleet.secret import Secret
from monitor.fleet.server import StreamServer
from monitor.fleet.wire import Connect
from monitor.model.event import Event
from monitor.model.peer import About, Peer, PeerState, UsageReport
from monitor.ports.clock import Clock
from monitor.usage.report import report
from monitor.web.server import CannotListen
from monitor.web.state import ActingAgent

REPORT_EVERY = 1.0

MANAGERS_MAY_TAKE = 30.0
"""Seconds until an agent that no manager's agent talks to says so: they come and go in updates."""

LOST_ARE_SOUGHT = 30.0
"""Seconds for which the agents' tasks are read again after one of them was lost."""

SEEK_EVERY = 2.0

NO_MANAGERS = (
    "no manager's agent talks to this one, so nothing is scaled or restarted: let the agents' "
    "service run on at least one manager (a drained one takes no tasks: docker node update "
    "--availability active NODE), with the same secret as here"
)


@dataclass(frozen=True, slots=True)
class Manager:
    """A manager's agent that is connected to this one. host: where it connects from."""

    about: About
    host: str


class Fleet:
    """Streams to and from the other agents; `run` lives until it is cancelled.

    host, port: where this agent listens for managers' agents; all agents use the same port.
    digest: of all that decides what this agent would do. http_port: where its API is, 0 before it
    listens. on_event: each event of a container on another node. connect, serve: how wires are
    opened, and how the server gets them while the block lasts; None: as WebSockets.
    """

    def __init__(
        self,
        *,
        core: Core,
        clock: Clock,
        secret: Secret,
        host: str,
        port: int,
        boot_id: str,
        digest: Callable[[], str],
        http_port: Callable[[], int],
        on_event: Callable[[Event], None],
        connect: Connect | None = None,
        serve: Callable[[StreamServer], AbstractAsyncContextManager[object]] | None = None,
    ) -> None:
        self._core = core
        self._clock = clock
        self._host, self._port = host, port
        self._boot_id = boot_id
        self._digest = digest
        self._http_port = http_port
        self._on_event = on_event
        self._serve = serve or (lambda server: server.serve(host, port))
        self.managers: dict[str, Manager] = {}
        self.delays = EventDelays()
        self._managers_at = clock.now().mono
        self._heard_of: set[str] = set()
        self._up: set[str] = set()
        self._lost: dict[str, float] = {}
        self._sought_at = float("-inf")
        self.server = StreamServer(
            clock,
            secret,
            self.about,
            on_command=core.carry_out,
            on_manager_about=self._manager_said,
            on_manager_gone=self._manager_gone,
        )
        self.streams = Peers(
            clock,
            secret,
            self.about,
            self._addresses,
            on_report=self._reported,
            on_event=self._heard,
            on_gone=self._gone,
            on_resync=self._resync,
            connect=connect,
        )
        core.hands.reach(self.streams.command)
        core.remains.also_tell(self.tell)

    def peers(self) -> Mapping[str, Peer]:
        """The other nodes' agents by node id; none as long as this node is no manager."""
        return self.streams.peers()

    def about(self) -> About:
        core = self._core
        holder = core.lease.holder
        return About(
            node_id=core.identity.node_id,
            node_name=core.identity.node_name,
            boot_id=self._boot_id,
            role=core.identity.role,
            release=__version__,
            digest=self._digest(),
            acting=core.lease.term() is not None,
            actor="" if holder is None else holder[1],
            http_port=self._http_port(),
        )

    def managers_heard(self) -> int:
        """Managers' agents in touch with this one, itself included if it is one."""
        return len(self.managers) + (self._core.identity.role == "manager")

    def not_ready(self) -> str | None:
        """Why this node's tasks are watched by nobody who could act; None where they are."""
        now = self._clock.now().mono
        if self.managers_heard():
            self._managers_at = now
            return None
        return NO_MANAGERS if now - self._managers_at > MANAGERS_MAY_TAKE else None

    def acting_agent(self) -> ActingAgent | None:
        """Where to ask the agent that holds the lease; None where that is this one, or unknown."""
        lease = self._core.lease
        if lease.term() is not None:
            return None
        holder = lease.holder
        peer = self.peers().get(holder[0]) if holder is not None else None
        if peer is not None and peer.about is not None and peer.address:
            return _at(peer.about, peer.address.rpartition(":")[0])
        acting = (manager for manager in self.managers.values() if manager.about.acting)
        manager = next(acting, None)
        return None if manager is None else _at(manager.about, manager.host)

    async def run(self) -> None:
        """Raises CannotListen."""
        try:
            async with self._serve(self.server), asyncio.TaskGroup() as group:
                group.create_task(self.streams.run(), name="peers")
                group.create_task(self._tell(), name="reports")
        except OSError as error:
            where = f"{self._host}:{self._port}"
            raise CannotListen(
                f"Cannot listen on {where} for the other agents: {error.strerror or error}. "
                "Choose another address with --fleet-listen, the same port on all nodes."
            ) from error

    async def _tell(self) -> None:
        said = self.about()
        while True:
            self.server.publish(report(self._core.sampler, self._clock.now()))
            if (about := self.about()) != said:
                said = about
                self.changed()
            self.not_ready()
            self._seek_lost()
            await asyncio.sleep(REPORT_EVERY)

    def _seek_lost(self) -> None:
        """No event tells that an agent's task ended: the agent itself would have sent it.

        Without a look at their tasks the next one's address would be known by the next list only.
        """
        now, peers = self._clock.now().mono, self.peers()
        up = {node_id for node_id, peer in peers.items() if peer.state is PeerState.UP}
        known = self._up | self._lost.keys()
        self._lost = {key: self._lost.get(key, now) for key in peers if key in known - up}
        self._up = up
        service_id = self._core.identity.own_service_id()
        sought = any(now - at < LOST_ARE_SOUGHT for at in self._lost.values())
        if sought and service_id is not None and now - self._sought_at >= SEEK_EVERY:
            self._sought_at = now
            self._core.mirror.expect([service_id])

    def changed(self) -> None:
        """Who acts, or what this agent says of itself, is another than before."""
        self.server.about_changed()
        self.streams.look()

    def tell(self, event: Event) -> None:
        """An event of this node's engine."""
        if event.type == "container":
            self.server.tell(event)

    # What others say

    def _addresses(self) -> Mapping[str, tuple[str, ...]]:
        identity = self._core.identity
        if identity.role != "manager":
            return {}
        return neighbours(
            self._core.mirror, identity.own_service_id(), identity.node_id, self._port
        )

    def _reported(self, node_id: str, usage: UsageReport, received: float) -> None:
        self.delays.reported(node_id, usage.wall, self._clock.now().wall)
        self._core.remote.take(node_id, usage, received)

    def _heard(self, node_id: str, event: Event) -> None:
        if not event.observed:
            self.delays.heard(node_id, event, self._clock.now().wall)
            self._on_event(event)
        self._core.heard_elsewhere(event)

    def _resync(self, node_id: str) -> None:
        if node_id in self._heard_of:
            self._core.missed_elsewhere(node_id)
        self._heard_of.add(node_id)

    def _gone(self, node_id: str) -> None:
        self._heard_of.discard(node_id)
        self.delays.forget(node_id)
        self._core.remote.drop(node_id)

    def _manager_said(self, about: About, host: str) -> None:
        if about.role != "manager":
            return
        known = self.managers.get(about.node_id)
        if known is None or known.about.boot_id != about.boot_id:
            self._core.remains.look()  # another process, which heard of no end before
        self.managers[about.node_id] = Manager(about, host)

    def _manager_gone(self, node_id: str) -> None:
        self.managers.pop(node_id, None)


def _at(about: About, host: str) -> ActingAgent | None:
    if not about.http_port:
        return None
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return ActingAgent(about.node_name, f"http://{shown}:{about.http_port}")
