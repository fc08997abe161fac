"""A running sampler on a file tree and virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from monitor.model.usage import MetricKind, Sample
from monitor.ports.engine import Engine
from monitor.simulate.clock import VirtualClock
from monitor.simulate.loop import run_virtual
from monitor.usage.sampler import Sampler
from tests.unit.usage.fakes import ScriptedEngine
from tests.unit.usage.trees import A

PATH = f"docker/{A}"


class Scene:
    """A running sampler of the v2 tree below `folder`."""

    def __init__(self, engine: ScriptedEngine, folder: Path) -> None:
        self.engine = engine
        self.cgroup = folder / "cgroup"
        self.killed: list[str] = []
        self.sampler = Sampler(
            cast("Engine", engine),
            VirtualClock(),
            folder / "proc",
            folder / "cgroup",
            on_oom=lambda container: self.killed.append(container.task_id),
        )

    def sample(self, kind: MetricKind, task: str = "task1", window: float = 15.0) -> Sample | None:
        now = asyncio.get_running_loop().time()
        return self.sampler.samples([task, "unknown"], kind, window, 5.0, now).get(task)

    async def load(self, cores: float, seconds: int, memory: int = 1 << 20) -> None:
        """Let the container's counters go on, a tenth of a second at a time."""
        folder = self.cgroup / PATH
        for _ in range(seconds * 10):
            used = int((folder / "cpu.stat").read_text().split()[1]) + int(cores * 100_000)
            (folder / "cpu.stat").write_text(f"usage_usec {used}\n")
            (folder / "memory.current").write_text(f"{memory}\n")
            (folder / "memory.stat").write_text("inactive_file 0\n")
            await asyncio.sleep(0.1)


def play(folder: Path, engine: ScriptedEngine, story: Callable[[Scene], Awaitable[Any]]) -> None:
    async def main() -> None:
        scene = Scene(engine, folder)
        run = asyncio.create_task(scene.sampler.run())
        await asyncio.sleep(0.05)
        await story(scene)
        assert not run.done()
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)

    run_virtual(main(), limit=3600)
