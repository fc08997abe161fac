"""What this agent finds out of containers' ends that no engine tells, or told nobody."""

import asyncio
from collections.abc import Callable

from monitor.model.container import Container, Health
from monitor.model.event import OOM_COUNTED, REMAINS, Event
from monitor.ports.backoff import Backoff
from monitor.ports.clock import Clock
from monitor.ports.engine import Engine
from monitor.ports.errors import EngineError

CALM = 2.0
"""Seconds after a look, before another: managers that come back come together."""


class Remains:
    """Reads the ended containers of this node and tells each as one event.

    Twice the same is told where there was reason to look again; whoever hears it takes no harm.
    tell: must not raise.
    """

    def __init__(self, engine: Engine, clock: Clock, tell: Callable[[Event], None]) -> None:
        self._engine = engine
        self._clock = clock
        self._listeners = [tell]
        self._due = asyncio.Event()
        self._due.set()

    def look(self) -> None:
        """Ends may have been missed, or somebody is there who heard of none."""
        self._due.set()

    def also_tell(self, tell: Callable[[Event], None]) -> None:
        """From now on somebody else, too."""
        self._listeners.append(tell)

    def oom(self, container: Container) -> None:
        """Its cgroup counted a process that the kernel killed for want of memory, just now."""
        at = int(self._clock.now().wall * 1e9)
        self._say(Event("container", OOM_COUNTED, container.id, at, _labels(container)))

    def _say(self, event: Event) -> None:
        for tell in self._listeners:
            tell(event)

    async def run(self) -> None:
        """Until cancelled; first at once. An engine that is away is asked again."""
        backoff = Backoff(self._clock)
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                found = await self._engine.ended_containers()
            except EngineError:
                self._due.set()
                await asyncio.sleep(backoff.pause())
                continue
            backoff.reset()
            for container in found:
                self._say(remains_of(container))
            await asyncio.sleep(CALM)


def remains_of(container: Container) -> Event:
    """As one event, which agents of other nodes can be told."""
    said = _labels(container) | {"startedAt": str(int(container.started_at * 1e9))}
    if container.exit_code is not None:
        said["exitCode"] = str(container.exit_code)
    if container.oom_killed:
        said["oomKilled"] = "true"
    if container.health is Health.UNHEALTHY:
        said["unhealthy"] = "true"
    return Event("container", REMAINS, container.id, int(container.finished_at * 1e9), said)


def _labels(container: Container) -> dict[str, str]:
    """By which an Engine's own events of the container are known."""
    return {
        "com.docker.swarm.task.id": container.task_id,
        "com.docker.swarm.service.id": container.service_id,
        "com.docker.swarm.service.name": container.service_name,
        "com.docker.swarm.node.id": container.node_id,
    }
