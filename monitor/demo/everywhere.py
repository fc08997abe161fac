"""What all tasks of a simulated Swarm use, as the agents of all nodes would tell it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from monitor.model.usage import MetricKind, Sample
from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.ports.errors import EngineError
from monitor.usage.sampler import Sampler


class SamplersEverywhere:
    """`monitor.ports.usage.UsageSource` with a sampler at each node's engine.

    nowhere: a folder in which there are no cgroups, so that the stats API is asked.
    """

    def __init__(self, engines: Sequence[Engine], clock: Clock, nowhere: Path) -> None:
        self._parts = [(engine, Sampler(engine, clock, nowhere, nowhere)) for engine in engines]

    def samples(
        self,
        task_ids: Iterable[str],
        kind: MetricKind,
        window: float,
        rising_window: float,
        now: float,
    ) -> Mapping[str, Sample]:
        """See `monitor.ports.usage.UsageSource`. A task is on one node alone."""
        wanted = list(task_ids)
        found: dict[str, Sample] = {}
        for _, sampler in self._parts:
            found.update(sampler.samples(wanted, kind, window, rising_window, now))
        return found

    async def run(self) -> None:
        """Sample until cancelled."""
        async with asyncio.TaskGroup() as group:
            for engine, sampler in self._parts:
                group.create_task(sampler.run())
                group.create_task(_hints(engine, sampler))


async def _hints(engine: Engine, sampler: Sampler) -> None:
    """New containers are sampled at once, not only after the next list."""
    while True:
        try:
            async with engine.events(None) as events:
                async for event in events:
                    sampler.hint(event)
        except EngineError:
            await asyncio.sleep(1.0)
