"""A mirror at work on a simulated Swarm, fed by the production event stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from monitor.cluster.mirror import Mirror
from monitor.engine.stream import EventStream
from monitor.simulate.engine import SimulatedEngine
from monitor.simulate.swarm import Swarm


@dataclass
class Watched:
    swarm: Swarm
    engine: SimulatedEngine
    mirror: Mirror
    changed: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    tasks_told: list[tuple] = field(default_factory=list)

    def differences(self) -> list[str]:
        """What the mirror holds otherwise than the Swarm; [] where it is all alike."""
        store, found = self.swarm.store, []
        held = self.mirror.services()
        for kind, ours, theirs in (
            ("service", held, store.services),
            ("node", self.mirror.nodes(), store.nodes),
        ):
            ours_by_id = {key: value.version for key, value in ours.items()}
            theirs_by_id = {key: value.version for key, value in theirs.items()}
            if ours_by_id != theirs_by_id:
                found.append(f"{kind}: {ours_by_id} is not {theirs_by_id}")
        for service_id in store.services:
            view = self.mirror.view(service_id)
            mine = {task.id: task.version for task in view.tasks} if view else {}
            real = {task.id: task.version for task in store.tasks_of[service_id].values()}
            if mine != real:
                found.append(f"tasks of {service_id}: {mine} is not {real}")
        return found

    def calls_since(self, mono: float, *methods: str) -> int:
        return sum(1 for call in self.engine.log if call.mono >= mono and call.method in methods)

    def now(self) -> float:
        return self.swarm.mono()


@asynccontextmanager
async def mirrored(
    swarm: Swarm, node: str = "m1", *, events: bool = True, **parts: float
) -> AsyncIterator[Watched]:
    """A mirror on that node, running, its first list taken (or its role known)."""
    node_id = next(one.id for one in swarm.store.nodes.values() if one.name == node)
    engine = swarm.engine(node_id)
    watched: Watched

    def on_change(ids: frozenset[str]) -> None:
        watched.changed.append((swarm.mono(), ids))

    def on_tasks(*told: object) -> None:
        watched.tasks_told.append(told)

    mirror = Mirror(engine, swarm.clock, on_change, on_tasks=on_tasks, **parts)
    watched = Watched(swarm, engine, mirror)
    stream = EventStream(engine, swarm.clock, mirror.hint, mirror.resync)
    runs = [asyncio.create_task(mirror.run(), name="mirror")]
    if events:
        runs.append(asyncio.create_task(stream.run(), name="stream"))
    try:
        await mirror.wait_ready()
        yield watched
        for run in runs:
            assert not run.done(), run
    finally:
        for run in runs:
            run.cancel()
        for run in runs:
            with suppress(asyncio.CancelledError):
                await run
