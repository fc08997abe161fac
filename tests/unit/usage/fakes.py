"""The part of an Engine that a sampler needs, under a test's control."""

import asyncio
from collections.abc import Callable, Sequence

from monitor.model.container import Container
from monitor.model.event import Event
from monitor.model.usage import Reading
from monitor.ports.errors import EngineError, NotFound


class ScriptedEngine:
    """`present` runs; `fault` is raised by every call; answers are taken before the delay."""

    def __init__(self, *containers: Container) -> None:
        self.present = {container.id: container for container in containers}
        self.readings: Callable[[str], Reading] | None = None
        self.fault: EngineError | None = None
        self.delay = 0.0
        self.calls: list[str] = []
        self.at_once = 0
        self.most_at_once = 0

    async def containers(self) -> Sequence[Container]:
        answer = tuple(container for container in self.present.values() if container.running)
        await self._answer("containers")
        return answer

    async def container(self, container_id: str) -> Container:
        answer = self.present.get(container_id)
        await self._answer("container")
        if answer is None:
            raise NotFound(f"no container {container_id}")
        return answer

    async def stats(self, container_id: str) -> Reading:
        await self._answer("stats")
        if container_id not in self.present or self.readings is None:
            raise NotFound(f"no container {container_id}")
        return self.readings(container_id)

    async def _answer(self, call: str) -> None:
        self.calls.append(call)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.delay)
        finally:
            self.at_once -= 1
        if self.fault is not None:
            raise self.fault


def event(action: str, container: Container, type_: str = "container") -> Event:
    return Event(
        type=type_,
        action=action,
        actor_id=container.id,
        time_ns=0,
        attributes={"com.docker.swarm.task.id": container.task_id},
    )
