"""Many agents in one process, each at an address of its own, with samples that it makes up.

    python -m benchmarks.fleet_agents PLAN.json

Started by benchmarks/fleet.py. Prints one line once all listen; runs until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from monitor import __version__
from monitor.agent.clock import SystemClock
from monitor.fleet.secret import Secret
from monitor.fleet.server import StreamServer
from monitor.model.peer import About, TaskReading, UsageReport
from monitor.model.usage import Network, Reading

CORES = 0.3
NETWORK_EVERY = 5  # reports, as agents read it
MIB = 1 << 20


@dataclass(frozen=True)
class Place:
    """A node and its agent. address: of the agent. tasks: their ids."""

    node_id: str
    name: str
    address: str
    tasks: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    port: int
    secret_file: str
    places: tuple[Place, ...]

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Plan:
        data: dict[str, Any] = json.loads(path.read_text())
        places = tuple(Place(**{**one, "tasks": tuple(one["tasks"])}) for one in data["places"])
        return cls(data["port"], data["secret_file"], places)


def allow_files() -> None:
    """Let the process have as many connections as it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Tasks:
    """Of one node: tasks of a nearly constant load, each with its counters."""

    def __init__(self, place: Place, chance: random.Random, now: float) -> None:
        self._chance = chance
        self._ids = place.tasks
        self._cores = [chance.uniform(0.97, 1.03) * CORES for _ in place.tasks]
        self._used = [chance.uniform(0.0, 1e4) for _ in place.tasks]
        self._at = now
        self._networks = [Network() for _ in place.tasks]
        self._network_at = now
        self._count = chance.randrange(NETWORK_EVERY)

    def report(self, mono: float, wall: float) -> UsageReport:
        chance, passed = self._chance, mono - self._at
        self._at = mono
        self._count += 1
        if self._count % NETWORK_EVERY == 0:
            self._network_at = mono
            self._networks = [
                Network(
                    receive_bytes=one.receive_bytes + chance.randrange(MIB),
                    transmit_bytes=one.transmit_bytes + chance.randrange(MIB),
                )
                for one in self._networks
            ]
        readings = []
        for place, task_id in enumerate(self._ids):
            self._used[place] += self._cores[place] * passed
            memory = 4096 * chance.randrange(20_000, 21_000)
            reading = Reading(
                round(self._used[place], 6), memory, memory, network=self._networks[place]
            )
            readings.append(
                TaskReading(task_id, mono, reading, 0.0, self._network_at, float(NETWORK_EVERY))
            )
        return UsageReport(mono, wall, tuple(readings))


async def agent(place: Place, plan: Plan, stack: AsyncExitStack) -> StreamServer:
    about = About(place.node_id, place.name, "boot", role="worker", release=__version__)
    secret = Secret(file=Path(plan.secret_file))
    server = StreamServer(SystemClock(), secret, lambda: about)
    await stack.enter_async_context(server.serve(place.address, plan.port))
    return server


async def publish(server: StreamServer, place: Place, chance: random.Random) -> None:
    """A report each second, at a moment of the second that is the agent's own."""
    clock = SystemClock()
    await asyncio.sleep(chance.random())
    tasks = Tasks(place, chance, clock.now().mono)
    due = clock.now().mono
    while True:
        now = clock.now()
        server.publish(tasks.report(now.mono, now.wall))
        due = max(due + 1.0, now.mono)
        await asyncio.sleep(due - clock.now().mono)


async def main(path: Path) -> None:
    allow_files()
    plan = Plan.read(path)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        for number, place in enumerate(plan.places):
            server = await agent(place, plan, stack)
            group.create_task(publish(server, place, random.Random(number)))
        print("listening", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
