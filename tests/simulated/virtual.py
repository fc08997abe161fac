"""`@virtual()` makes an async test run on virtual time.

    @virtual()                      # or virtual(limit=86_400): at most a virtual day
    async def test_scales_up() -> None:
        swarm = small_swarm()       # one manager, two workers, built inside the loop
        swarm.create_service("web", replicas=3)
        await swarm.converged("web")
        await asyncio.sleep(3600)   # an hour passes at once

A test that waits for something nobody will do fails with Deadlock and the waiting tasks'
names; one that goes on for ever fails with LimitReached. Tasks left over are cancelled.
Errors in callbacks and forgotten tasks fail the test.
"""

import functools
from collections.abc import Callable, Coroutine
from typing import Any

from monitor.model.task import TaskState
from monitor.simulate.loop import run_virtual
from monitor.simulate.swarm import Swarm

AsyncTest = Callable[..., Coroutine[Any, Any, None]]


def virtual(limit: float = 3600.0) -> Callable[[AsyncTest], Callable[..., None]]:
    def decorate(test: AsyncTest) -> Callable[..., None]:
        @functools.wraps(test)
        def run(*args: Any, **kwargs: Any) -> None:
            run_virtual(test(*args, **kwargs), limit=limit)

        return run

    return decorate


def small_swarm(workers: int = 2, **parts: Any) -> Swarm:
    """Nodes m1 (manager) and w1, w2...; `parts` go to Swarm."""
    swarm = Swarm(**parts)
    swarm.add_node("m1", "manager")
    for number in range(1, workers + 1):
        swarm.add_node(f"w{number}")
    return swarm


def node_id(swarm: Swarm, name: str) -> str:
    return next(node.id for node in swarm.store.nodes.values() if node.name == name)


def states(swarm: Swarm, service: str) -> list[str]:
    """`state/desired` of the service's tasks, oldest first."""
    return [f"{task.state.label}/{task.desired.label}" for task in swarm.tasks(service)]


def count(swarm: Swarm, service: str, state: TaskState) -> int:
    return sum(1 for task in swarm.tasks(service) if task.state is state)
