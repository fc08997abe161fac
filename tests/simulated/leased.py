"""Several leases on one simulated Swarm, and a witness of who could act at which moment."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from monitor.fleet.lease import Lease
from monitor.fleet.lease_labels import CONFIG, PREFIX
from monitor.model.config import Config
from monitor.ports.errors import EngineError
from monitor.simulate.engine import SimulatedEngine
from monitor.simulate.swarm import Swarm

# Seconds, as promised
HELD = 8.0
PATIENCE = 10.0


class LateEngine:
    """The lease's way to its engine, on which a write may arrive after the caller gave it up.

    late: seconds that the next writes are on their way; they are carried out all the same.
    """

    def __init__(self, engine: SimulatedEngine) -> None:
        self.engine = engine
        self.late = 0.0
        self.under_way: set[asyncio.Task[None]] = set()

    async def config(self, name: str) -> Config:
        return await self.engine.config(name)

    async def create_config(self, name: str, labels: Mapping[str, str], data: bytes) -> None:
        await self._send(self.engine.create_config(name, labels, data))

    async def update_config(self, config: Config, labels: Mapping[str, str]) -> None:
        await self._send(self.engine.update_config(config, labels))

    async def _send(self, write: Any) -> None:
        async def deliver(late: float) -> None:
            await asyncio.sleep(late)
            await write

        task = asyncio.create_task(deliver(self.late))
        self.under_way.add(task)
        task.add_done_callback(self._arrived)
        await asyncio.shield(task)

    def _arrived(self, task: asyncio.Task[None]) -> None:
        self.under_way.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may wait for it any more


@dataclass
class Agent:
    """One agent's lease. `barred` is what its `may_hold` says."""

    name: str
    node_id: str
    swarm: Swarm
    boot: int = 0
    barred: str = ""
    digest: str = "d1"
    events: bool = True
    # (virtual seconds, term or None) whenever its term became another
    terms: list[tuple[float, int | None]] = field(default_factory=list)
    # Called whenever it may act anew or for longer: only then two can begin to be too many
    on_grant: Callable[[], None] = lambda: None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    troubles: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = self.swarm.engine(self.node_id)
        self.way = LateEngine(self.engine)
        self.start()

    def start(self) -> None:
        self.boot += 1
        self.lease = Lease(
            self.way,  # type: ignore[arg-type]
            self.swarm.clock,
            boot_id=f"{self.name}-{self.boot}",
            node_id=lambda: self.node_id,
            node_name=lambda: self.name,
            may_hold=lambda: self.barred,
            digest=lambda: self.digest,
            on_change=self._changed,
        )
        grant = self.lease._grant

        def granted(term: int, sent: float) -> None:
            grant(term, sent)
            self.on_grant()

        self.lease._grant = granted  # type: ignore[method-assign]
        self.tasks = [
            asyncio.create_task(self.lease.run()),
            asyncio.create_task(self._follow(self.lease)),
        ]

    async def die(self) -> None:
        """Killed: nothing is released."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.lease._until = float("-inf")

    async def stop(self) -> float:
        """Stopped in order; returns the seconds that took."""
        began = self.swarm.mono()
        await self.lease.release()
        await self.die()
        return self.swarm.mono() - began

    def _changed(self) -> None:
        term = self.lease.term()
        if not self.terms or self.terms[-1][1] != term:
            self.terms.append((self.swarm.mono(), term))

    async def _follow(self, lease: Lease) -> None:
        while True:
            with suppress(EngineError):
                async with self.engine.events(None) as events:
                    async for event in events:
                        if self.events:
                            lease.hint(event)
            await asyncio.sleep(1)


@dataclass
class Fleet:
    swarm: Swarm
    agents: list[Agent]
    # boot ids by term, from the Swarm's own store: what was really written
    written: dict[int, set[str]] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)

    def acting(self) -> list[Agent]:
        return [agent for agent in self.agents if agent.lease.term() is not None]

    def look(self) -> None:
        """The witness: notes every moment with two holders."""
        acting = self.acting()
        if len(acting) > 1:
            who = [(agent.name, agent.lease.term()) for agent in acting]
            self.twice.append(f"{self.swarm.mono():.3f}: {who}")

    async def watch(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(0.5)

    async def until_acting(self, *others: Agent, within: float = 60) -> Agent:
        """The one that acts, once one of `others` (or of all) does."""
        async with asyncio.timeout(within):
            while True:
                found = [one for one in self.acting() if not others or one in others]
                if found:
                    return found[0]
                await asyncio.sleep(0.01)

    def but(self, *left_out: Agent) -> list[Agent]:
        return [agent for agent in self.agents if agent not in left_out]


@asynccontextmanager
async def fleet(managers: int = 3, *, seed: int = 0) -> AsyncIterator[Fleet]:
    """Agents on all managers of a Swarm; fails at the end if ever two could act at once."""
    swarm = Swarm(seed=seed)
    ids = [swarm.add_node(f"m{number}", "manager") for number in range(1, managers + 1)]
    agents = [Agent(f"m{number}", one, swarm) for number, one in enumerate(ids, start=1)]
    found = Fleet(swarm, agents)

    def note(change: Any) -> None:
        labels = getattr(change.new, "labels", {})
        holder, term = (labels.get(f"swarm-monitor.lease.{key}") for key in ("holder", "term"))
        by_an_agent = holder in {f"{agent.name}-{agent.boot}" for agent in agents}
        if change.action != "remove" and by_an_agent and term.isdigit():
            found.written.setdefault(int(term), set()).add(holder)

    swarm.store.watch(note)
    for agent in agents:
        agent.on_grant = found.look
    witness = asyncio.create_task(found.watch())
    try:
        yield found
        assert not found.twice
        shared = {term: boots for term, boots in found.written.items() if len(boots) > 1}
        assert not shared
    finally:
        witness.cancel()
        for agent in agents:
            await agent.die()
        swarm.close()


def labels(swarm_fleet: Fleet) -> dict[str, str]:
    return swarm_fleet.swarm.config(CONFIG).labels


def write(swarm_fleet: Fleet, **changes: str) -> None:
    """What a person does: other values at some of the labels."""
    config = swarm_fleet.swarm.config(CONFIG)
    changed = {PREFIX + key: value for key, value in changes.items()}
    swarm_fleet.swarm.label_config(config.id, config.version, config.labels | changed)
