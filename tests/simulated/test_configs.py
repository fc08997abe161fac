"""Configs of the simulated Swarm: what a lease that is kept in one relies on."""

import asyncio

import pytest

from monitor.model.event import Event
from monitor.ports.errors import Conflict, NotAManager, NotFound, Unreachable
from tests.simulated.virtual import node_id, small_swarm, virtual


@virtual()
async def test_labels_change_by_version() -> None:
    """The newest version alone may be replaced, and whoever reads sees the next one."""
    swarm = small_swarm()
    engine = swarm.engine(node_id(swarm, "m1"))
    with pytest.raises(NotFound):
        await engine.config("lease")
    await engine.create_config("lease", {"a": "1"}, b"what it is")
    with pytest.raises(Conflict):
        await engine.create_config("lease", {}, b"")
    first = await engine.config("lease")
    assert (first.name, first.labels) == ("lease", {"a": "1"})
    await engine.update_config(first, {"b": "2"})
    with pytest.raises(Conflict, match="update out of sequence"):
        await engine.update_config(first, {"c": "3"})
    second = await engine.config("lease")
    assert (second.id, second.labels) == (first.id, {"b": "2"})
    assert second.version > first.version
    assert second.raw["Spec"]["Data"] == first.raw["Spec"]["Data"] != ""
    swarm.remove_config("lease")
    with pytest.raises(NotFound):
        await engine.update_config(second, {})


@virtual()
async def test_a_lost_reply_leaves_the_write_in_place() -> None:
    """As of services: the answer is an error, the labels are there."""
    swarm = small_swarm()
    engine = swarm.engine(node_id(swarm, "m1"))
    engine.faults.lose_replies = 2
    with pytest.raises(Unreachable):
        await engine.create_config("lease", {}, b"")
    config = await engine.config("lease")
    with pytest.raises(Unreachable):
        await engine.update_config(config, {"a": "1"})
    assert (await engine.config("lease")).labels == {"a": "1"}


@virtual()
async def test_workers_and_swarms_without_a_leader_refuse() -> None:
    """Configs are the managers' alone, and need the leader."""
    swarm = small_swarm()
    worker = swarm.engine(node_id(swarm, "w1"))
    with pytest.raises(NotAManager):
        await worker.config("lease")
    swarm.has_leader = False
    with pytest.raises(NotAManager):
        await swarm.engine(node_id(swarm, "m1")).create_config("lease", {}, b"")


@virtual()
async def test_managers_tell_of_configs() -> None:
    """Creation, change and removal, on every manager and on no worker."""
    swarm = small_swarm()
    manager, worker = (swarm.engine(node_id(swarm, name)) for name in ("m1", "w1"))
    async with manager.events(None) as told, worker.events(None) as told_workers:
        await manager.create_config("lease", {}, b"")
        config = await manager.config("lease")
        await manager.update_config(config, {"a": "1"})
        swarm.remove_config("lease")
        seen: list[Event] = [await anext(told) for _ in range(3)]
        assert [event.action for event in seen] == ["create", "update", "remove"]
        for event in seen:
            assert (event.type, event.actor_id, event.scope) == ("config", config.id, "swarm")
            assert event.attributes == {"name": "lease"}
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await anext(told_workers)


@virtual()
async def test_tasks_in_networks_have_addresses() -> None:
    """One in each network of the service, no two alike."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=3, networks=["front", "back"])
    swarm.create_service("alone", replicas=1)
    await swarm.converged("web")
    engine = swarm.engine(node_id(swarm, "m1"))
    by_service = {"web": swarm.service("web").id, "alone": swarm.service("alone").id}
    tasks = await engine.tasks(by_service["web"])
    assert [[name for name, _ in task.addresses] for task in tasks] == [["front", "back"]] * 3
    assert len({address for task in tasks for _, address in task.addresses}) == 6
    assert [task.addresses for task in await engine.tasks(by_service["alone"])] == [()]
