"""Rolling updates of the simulated Swarm go as those of a real one."""

import asyncio
import copy

import pytest

from monitor.model.service import UpdateState
from monitor.model.task import TaskState
from monitor.simulate.executor import Behaviour
from monitor.simulate.spec import NANO
from monitor.simulate.swarm import Swarm
from tests.simulated.virtual import node_id, small_swarm, virtual


def manager(swarm: Swarm):
    return swarm.engine(node_id(swarm, "m1"))


@virtual()
async def test_updating_comes_in_a_later_transaction() -> None:
    """Right after a deploy UpdateStatus is nil; then it is updating, then completed."""
    swarm = small_swarm()
    service_id = swarm.create_service("web", replicas=2)
    await swarm.converged("web")
    engine = manager(swarm)
    swarm.deploy("web", "app:2")
    version = swarm.service("web").version
    first = await engine.service(service_id)
    assert (first.version, first.update_state) == (version, None)
    await asyncio.sleep(0.2)
    second = await engine.service(service_id)
    assert second.update_state is UpdateState.UPDATING
    assert second.version > version
    await swarm.converged("web")
    third = await engine.service(service_id)
    assert third.update_state is UpdateState.COMPLETED
    assert {task.spec["ContainerSpec"]["Image"] for task in swarm.running("web")} == {"app:2"}


@virtual()
async def test_parallelism_and_order_of_an_update() -> None:
    """stop-first never has more tasks than replicas, start-first never fewer running."""
    swarm = small_swarm()
    swarm.create_service("stop", replicas=4, update={"Parallelism": 2, "Delay": 1 * NANO})
    swarm.create_service("start", replicas=4, update={"Parallelism": 1, "Order": "start-first"})
    await swarm.converged("stop")
    await swarm.converged("start")
    swarm.deploy("stop", "app:2")
    swarm.deploy("start", "app:2")
    fewest = {"stop": 4, "start": 4}
    most = {"stop": 0, "start": 0}
    for _ in range(600):
        await asyncio.sleep(0.05)
        for name in ("stop", "start"):
            running = sum(1 for task in swarm.tasks(name) if task.state is TaskState.RUNNING)
            fewest[name] = min(fewest[name], running)
            most[name] = max(most[name], running)
    assert fewest == {"stop": 2, "start": 4}
    assert most == {"stop": 4, "start": 5}
    assert swarm.service("stop").update_state == "completed"
    assert swarm.service("start").update_state == "completed"


@virtual()
async def test_failure_action_pause() -> None:
    """A bad image pauses the update after the first failed task and leaves the rest alone."""
    swarm = small_swarm()
    swarm.behaviours["app:bad"] = Behaviour(exit_after=0.5)
    swarm.create_service("web", replicas=3)
    await swarm.converged("web")
    swarm.deploy("web", "app:bad")
    await asyncio.sleep(60)
    assert swarm.service("web").update_state == "paused"
    assert len(swarm.running("web")) >= 2


@virtual()
async def test_scaling_a_paused_rollout_resumes_it() -> None:
    """The trap that promise 3 is about: any write goes on with the bad rollout."""
    swarm = small_swarm()
    swarm.behaviours["app:bad"] = Behaviour(missing=True)
    swarm.create_service("web", replicas=2)
    await swarm.converged("web")
    swarm.deploy("web", "app:bad")
    await asyncio.sleep(30)
    assert swarm.service("web").update_state == "paused"
    assert len(swarm.running("web")) == 1
    swarm.scale("web", 3)
    await asyncio.sleep(60)
    assert len(swarm.running("web")) == 0


@virtual()
async def test_failure_action_rollback_recovers_unless_somebody_scales() -> None:
    """A rollback restores the whole previous spec; a scale in between makes the bad one it."""
    for scaled in (False, True):
        swarm = small_swarm()
        swarm.behaviours["app:bad"] = Behaviour(missing=True)
        swarm.create_service("web", replicas=3, update={"FailureAction": "rollback"})
        await swarm.converged("web")
        good = copy.deepcopy(swarm.service("web").spec)
        swarm.deploy("web", "app:bad")
        await asyncio.sleep(0.1)
        if scaled:
            swarm.scale("web", 4)
        await asyncio.sleep(120)
        service = swarm.service("web")
        if scaled:
            assert service.spec["TaskTemplate"]["ContainerSpec"]["Image"] == "app:bad"
            assert len(swarm.running("web")) < 3
        else:
            assert (service.update_state, service.spec) == ("rollback_completed", good)
            assert service.previous_spec is None
            assert len(swarm.running("web")) == 3


@pytest.mark.parametrize("replicas", [None, 3])
@virtual()
async def test_what_was_replaced_before_an_update_reached_it_is_left_alone(
    replicas: int | None,
) -> None:
    """A task that fails while the update is at another place is restarted from the new
    specification: the update makes no second one beside it."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=replicas, update={"Parallelism": 1, "Delay": 30 * NANO})
    await asyncio.sleep(5)
    swarm.deploy("web", "app:2")
    await asyncio.sleep(10)
    for task in swarm.running("web"):
        if task.spec["ContainerSpec"]["Image"] == "app:1":
            swarm.end_task(task.id)
    for _ in range(200):
        await asyncio.sleep(1)
        assert len(swarm.running("web")) <= 3
    assert swarm.service("web").update_state == "completed"
    assert len(swarm.running("web")) == 3
    assert {task.spec["ContainerSpec"]["Image"] for task in swarm.running("web")} == {"app:2"}
