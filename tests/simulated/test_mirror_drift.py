"""What a re-list had to correct is counted: the measure of lost events."""

import asyncio

from monitor.model.event import Event
from tests.simulated.mirrored import mirrored
from tests.simulated.virtual import node_id, small_swarm, virtual

NONE = {"node": 0, "service": 0, "task": 0}


@virtual()
async def test_lost_events_are_counted_by_kind() -> None:
    """A lost label change, a lost node change and a lost end of a task count one each."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=3, restart={"Condition": "none"})
    await swarm.converged("web")
    async with mirrored(swarm) as watched:
        await asyncio.sleep(35)
        watched.engine.bus.faults.drop = 1.0
        swarm.change("web", lambda spec: spec.update(Labels={"tier": "front"}))
        swarm.set_node(node_id(swarm, "w1"), labels={"disk": "ssd"})
        await asyncio.sleep(31)
        assert watched.mirror.drift_total == {"node": 1, "service": 1, "task": 0}
        far = [task for task in swarm.running("web") if task.node_id != watched.engine.node_id]
        swarm.end_task(far[0].id, 0)
        await asyncio.sleep(33)
        assert watched.mirror.drift_total == {"node": 1, "service": 1, "task": 1}


@virtual()
async def test_a_late_event_takes_the_suspicion_away() -> None:
    """An event that comes within 2 s after the list was only late, not lost."""
    swarm = small_swarm()
    service_id = swarm.create_service("web", replicas=1)
    await swarm.converged("web")
    async with mirrored(swarm, events=False) as watched:
        await asyncio.sleep(10)
        swarm.change("web", lambda spec: spec.update(Labels={"tier": "front"}))
        watched.mirror.resync("now")
        await asyncio.sleep(1.9)
        watched.mirror.hint(Event("service", "update", service_id, 1))
        await asyncio.sleep(10)
        assert watched.mirror.drift_total == NONE


@virtual()
async def test_what_events_told_is_no_drift() -> None:
    """Deploys, scaling, crashes and lost nodes with all their events count nothing."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=4)
    async with mirrored(swarm) as watched:
        await asyncio.sleep(40)
        swarm.deploy("web", "app:2")
        await asyncio.sleep(40)
        swarm.scale("web", 6)
        await asyncio.sleep(40)
        swarm.node_down(node_id(swarm, "w2"))
        await asyncio.sleep(40)
        swarm.node_ready(node_id(swarm, "w2"))
        swarm.drain(node_id(swarm, "w1"))
        await asyncio.sleep(40)
        local = [task for task in swarm.running("web") if task.node_id == watched.engine.node_id]
        swarm.end_task(local[0].id, 1)
        await asyncio.sleep(40)
        swarm.remove_service("web")
        await asyncio.sleep(40)
        assert watched.mirror.drift_total == NONE


@virtual()
async def test_tasks_of_a_service_on_its_way_are_no_drift() -> None:
    """There are no task events: what a list finds first of a watched rollout was not lost."""
    swarm = small_swarm(workers=4)
    swarm.create_service("web", replicas=100, constraints=["node.role==worker"])
    async with mirrored(swarm) as watched:
        await asyncio.sleep(40)
        swarm.deploy("web", "app:2")
        await asyncio.sleep(200)
        assert swarm.service("web").update_state == "completed"
        assert watched.mirror.resyncs_total >= 7
        assert watched.mirror.drift_total == NONE


@virtual()
async def test_promotion_starts_anew() -> None:
    """The first list after the mirror was empty corrects nothing, whatever it finds."""
    swarm = small_swarm()
    swarm.add_node("m2", "manager")
    swarm.create_service("web", replicas=4)
    async with mirrored(swarm, "m2") as watched:
        await asyncio.sleep(10)
        swarm.set_node(node_id(swarm, "m2"), role="worker")
        await asyncio.sleep(40)
        assert watched.mirror.state == "worker"
        swarm.scale("web", 8)
        swarm.set_node(node_id(swarm, "m2"), role="manager")
        await asyncio.sleep(40)
        assert watched.mirror.state == "manager"
        assert watched.mirror.drift_total == NONE
