"""A deploy that resets replicas, and load that rises meanwhile, through the agent's whole core."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from monitor.model.rule import SCALE_UP_DEFAULT, Policy, PolicyType
from monitor.model.schedule import AfterDeployReset
from monitor.simulate.state import Spec
from monitor.simulate.swarm import Swarm
from tests.simulated.test_control_sources import QUEUE, Told, acting, rule
from tests.simulated.virtual import virtual

AT_ONCE = replace(SCALE_UP_DEFAULT, policies=(Policy(PolicyType.REPLICAS, 100, 1.0),))
RESTORE = {
    "max": 20,
    "scale_up": AT_ONCE,
    "after_deploy_reset": AfterDeployReset.RESTORE,
}


def deployed(spec: Spec) -> None:
    """The stack's file: another image, and two replicas."""
    spec["TaskTemplate"]["ContainerSpec"]["Image"] = "work:2"
    spec["Mode"]["Replicated"]["Replicas"] = 2


@contextmanager
def load_rises_with(swarm: Swarm, told: Told, replicas: int, load: float) -> Iterator[None]:
    """From the very moment on at which somebody sets so many replicas."""
    update = swarm.update_service

    def watched(service_id: str, version: int, spec: Spec) -> None:
        update(service_id, version, spec)
        if spec["Mode"]["Replicated"]["Replicas"] == replicas:
            told.value = load

    swarm.update_service = watched  # type: ignore[method-assign]
    yield
    swarm.update_service = update  # type: ignore[method-assign]


@virtual()
async def test_what_was_restored_rolls_out_before_load_is_followed() -> None:
    """Putting replicas back clears the update's status for a moment, which is no end of it."""
    told = Told(100.0)
    async with acting(rule(QUEUE, **RESTORE), told, reaction=3.0) as bench:
        await bench.until(lambda: bench.replicas("shop_web") == 10, within=30)
        await bench.swarm.converged("shop_web")
        await asyncio.sleep(5)
        with load_rises_with(bench.swarm, told, 10, 150.0):
            bench.swarm.change("shop_web", deployed)
            await bench.until(lambda: bench.replicas("shop_web") == 15, within=120)
        last, restored = bench.records.applied[-1], bench.records.applied[-2]
        assert restored.replicas == (2, 10)
        assert last.replicas == (10, 15)
        assert not last.dirty, "tasks of the old image still ran"
        assert last.state == "completed"
