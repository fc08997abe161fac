"""Values and parties for the tests of the streams."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from monitor.agent.clock import SystemClock
from monitor.fleet.peers import Peers
from monitor.fleet.secret import Secret
from monitor.fleet.session import Hello, Session, Side
from monitor.model.event import Event
from monitor.model.peer import About, PeerState, TaskReading, UsageReport
from monitor.model.usage import Network, Reading

SECRET = b"a secret of a fleet under test"


def about(node_id: str = "n1", **fields: object) -> About:
    return replace(About(node_id, f"name-{node_id}", f"boot-{node_id}", http_port=9580), **fields)


def hello(node_id: str = "n1", nonce: int = 1, **fields: object) -> Hello:
    return replace(Hello(node_id, f"boot-{node_id}", bytes([nonce]) * 32), **fields)


def sessions(
    manager_secret: bytes = SECRET, agent_secret: bytes = SECRET, **manager: object
) -> tuple[Session, Session]:
    return (
        Session(Side.MANAGER, manager_secret, hello("m1", 1, **manager), expects="w1"),
        Session(Side.AGENT, agent_secret, hello("w1", 2)),
    )


def shake_hands(manager: Session, agent: Session) -> None:
    """Carries greetings to and fro until neither has any."""
    towards_agent = list(manager.start())
    while towards_agent:
        towards_manager = [answer for frame in towards_agent for answer in agent.greet(frame)]
        towards_agent = [answer for frame in towards_manager for answer in manager.greet(frame)]


def established() -> tuple[Session, Session]:
    manager, agent = sessions()
    shake_hands(manager, agent)
    assert manager.established
    assert agent.established
    return manager, agent


def reading(task_id: str, read_at: float = 1.5, cpu: float = 0.25, **fields: object) -> TaskReading:
    counters = Reading(cpu, 1000, 900, network=Network(receive_bytes=5, transmit_bytes=7))
    whole = TaskReading(task_id, read_at, counters, network_at=read_at - 0.5, network_pause=5.0)
    return replace(whole, **fields)


def report(*task_ids: str, sent_at: float = 2.0, wall: float = 1000.0) -> UsageReport:
    return UsageReport(sent_at, wall, tuple(reading(one) for one in task_ids))


def oom(container_id: str = "c1", number: int = 1) -> Event:
    return Event(
        "container", "oom", container_id, number, {"com.docker.swarm.task.id": f"t{number}"}
    )


@dataclass
class Heard:
    """What a manager's callbacks were told."""

    reports: list[tuple[str, UsageReport, float]] = field(default_factory=list)
    events: list[tuple[str, Event]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    resyncs: list[str] = field(default_factory=list)

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_report": lambda *told: self.reports.append(told),
            "on_event": lambda *told: self.events.append(told),
            "on_gone": self.gone.append,
            "on_resync": self.resyncs.append,
        }


@asynccontextmanager
async def looking(
    addresses: Mapping[str, tuple[str, ...]], heard: Heard, secret: bytes = SECRET, **parts: object
) -> AsyncIterator[Peers]:
    """Peers of the manager m1 that look for `addresses`, a mapping that may change."""
    peers = Peers(
        parts.pop("clock", SystemClock()),
        Secret(value=secret),
        parts.pop("about", lambda: about("m1", role="manager")),
        lambda: dict(addresses),
        **heard.callbacks(),
        **parts,
    )
    running = asyncio.create_task(peers.run())
    try:
        yield peers
    finally:
        assert not running.done(), running
        running.cancel()
        await asyncio.wait([running])


async def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Waits for a fact, however slow the machine; fails where it never comes about."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


def up(peers: Peers, node_id: str) -> bool:
    peer = peers.peers().get(node_id)
    return peer is not None and peer.state is PeerState.UP and peer.about is not None
