"""Whole fleets of servers and peers in one process, over pipes on virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from monitor.fleet.pipes import Pipes
from monitor.fleet.secret import Secret
from monitor.fleet.server import StreamServer
from monitor.model.event import Event
from monitor.model.peer import About
from monitor.simulate.clock import VirtualClock
from tests.unit.fleet.build import SECRET, Heard, about, report

PORT = 9581


@dataclass
class Agent:
    """The serving side of one node; publishes each second while `sampling`."""

    node_id: str
    server: StreamServer
    said: list[About]
    managers: list[tuple[About, str]]
    tasks: tuple[str, ...] = ()
    sampling: bool = True

    async def run(self, clock: VirtualClock) -> None:
        while True:
            if self.sampling:
                now = clock.now()
                self.server.publish(report(*self.tasks, sent_at=now.mono, wall=now.wall + 2.5))
            await asyncio.sleep(1)


@dataclass
class Fleet:
    pipes: Pipes
    stack: AsyncExitStack
    clock: VirtualClock = field(default_factory=VirtualClock)
    agents: dict[str, Agent] = field(default_factory=dict)
    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)

    async def serve(
        self, node_id: str, *tasks: str, secret: bytes = SECRET, **parts: Callable[..., object]
    ) -> Agent:
        """A node whose agent serves at `node_id:9581`."""
        said, managers = [about(node_id)], []
        server = StreamServer(
            self.clock,
            Secret(value=secret),
            lambda: said[0],
            on_manager_about=lambda *told: managers.append(told),
            **parts,
        )
        await self.stack.enter_async_context(server.open())
        agent = Agent(node_id, server, said, managers, tasks)
        self.agents[node_id] = agent
        self.addresses[node_id] = (f"{node_id}:{PORT}",)
        self.pipes.listen(f"{node_id}:{PORT}", server.attend)
        running = asyncio.create_task(agent.run(self.clock))
        self.stack.callback(running.cancel)
        return agent

    def parts(self, node_id: str = "m1") -> dict[str, object]:
        """For `looking`, as a manager on this network."""
        return {
            "clock": self.clock,
            "connect": self.pipes.connector(node_id),
            "about": lambda: about(node_id, role="manager"),
        }


@asynccontextmanager
async def fleet(*node_ids: str) -> AsyncIterator[Fleet]:
    """Agents of these nodes, each with one task named after it."""
    pipes = Pipes()
    async with pipes.open(), AsyncExitStack() as stack:
        made = Fleet(pipes, stack)
        for node_id in node_ids:
            await made.serve(node_id, f"task-{node_id}")
        yield made


def oom_of(node_id: str) -> Event:
    return Event("container", "oom", f"c-{node_id}", 1)


__all__ = ["PORT", "Agent", "Fleet", "Heard", "fleet", "oom_of"]
