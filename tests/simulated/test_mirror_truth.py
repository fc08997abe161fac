"""The mirror holds what the Swarm holds, whatever becomes of events and answers."""

import asyncio
import random

import pytest

from monitor.model.event import Event
from monitor.ports.errors import BadAnswer, NotFound
from monitor.simulate.executor import Behaviour
from tests.simulated.mirrored import mirrored
from tests.simulated.virtual import node_id, small_swarm, virtual


@virtual()
async def test_the_first_list_is_the_swarm() -> None:
    """After the first list everything is held, and nothing counts as drift."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=3)
    swarm.create_service("agent", replicas=None)
    await swarm.converged("web")
    async with mirrored(swarm) as watched:
        assert watched.differences() == []
        assert watched.mirror.fresh
        assert watched.mirror.state == "manager"
        assert watched.mirror.drift_total == {"node": 0, "service": 0, "task": 0}
        assert watched.mirror.by_name("web").desired == 3
        assert watched.mirror.by_name("agent").desired == 3
        assert watched.mirror.by_name("we") is None


@virtual()
async def test_changes_are_seen_at_once() -> None:
    """With events, a created, scaled, updated, removed service is held right within 2 s."""
    swarm = small_swarm()
    async with mirrored(swarm) as watched:
        await asyncio.sleep(5)
        service_id = swarm.create_service("web", replicas=3)
        await asyncio.sleep(0.2)
        assert watched.mirror.services()[service_id].replicas == 3
        await swarm.converged("web")
        await asyncio.sleep(2.1)
        assert watched.differences() == []
        swarm.scale("web", 5)
        await asyncio.sleep(0.2)
        assert watched.mirror.services()[service_id].replicas == 5
        await swarm.converged("web")
        await asyncio.sleep(2.1)
        assert watched.differences() == []
        swarm.deploy("web", "app:2")
        await swarm.converged("web")
        await asyncio.sleep(2.1)
        assert watched.differences() == []
        swarm.remove_service("web")
        await asyncio.sleep(0.2)
        assert service_id not in watched.mirror.services()
        assert watched.mirror.view(service_id) is None
        assert watched.mirror.by_name("web") is None
        assert watched.mirror.drift_total == {"node": 0, "service": 0, "task": 0}


@virtual()
async def test_promise_7_every_lost_event_is_repaired_within_one_relist() -> None:
    """Without a single event all changes are held 30 s (and a list's own time) later."""
    swarm = small_swarm()
    keep = swarm.create_service("keep", replicas=2)
    swarm.create_service("gone", replicas=2)
    await swarm.converged("keep")
    async with mirrored(swarm) as watched:
        await asyncio.sleep(5)
        watched.engine.bus.faults.drop = 1.0
        swarm.remove_service("gone")
        swarm.create_service("new", replicas=1)
        swarm.scale("keep", 3)
        swarm.drain(node_id(swarm, "w1"))
        await asyncio.sleep(30.1)
        assert {service.name for service in watched.mirror.services().values()} == {"keep", "new"}
        assert watched.mirror.services()[keep].replicas == 3
        assert watched.mirror.nodes()[node_id(swarm, "w1")].availability == "drain"
        await asyncio.sleep(2.1)
        assert watched.differences() == []


@pytest.mark.parametrize("seed", range(40))
def test_random_stories_with_lost_doubled_and_reordered_events(seed: int) -> None:
    """Whatever happens to the events, one re-list after the last change all is held right."""

    @virtual(limit=20_000)
    async def story() -> None:
        chance = random.Random(seed)
        swarm = small_swarm(workers=4, seed=seed)
        swarm.behaviours["app:bad"] = Behaviour(exit_after=3.0)
        swarm.behaviours["app:none"] = Behaviour(missing=True)
        async with mirrored(swarm) as watched:
            faults = watched.engine.bus.faults
            faults.drop, faults.duplicate, faults.reorder = (chance.random() for _ in range(3))
            names = [f"s{number}" for number in range(6)]
            for _ in range(40):
                act(chance, swarm, names)
                await asyncio.sleep(chance.choice([0.0, 0.01, 0.3, 2.0, 9.0]))
                if chance.random() < 0.05:
                    watched.engine.cut_off()
                    await asyncio.sleep(chance.random() * 10)
                    watched.engine.restore()
            swarm.close()  # the Swarm stands still in the middle of whatever went on
            await asyncio.sleep(31)
            assert watched.differences() == []
            assert watched.mirror.fresh

    story()


def act(chance: random.Random, swarm, names: list[str]) -> None:
    """One thing that people, deploys or failures do."""
    name = chance.choice(names)
    exists = any(service.name == name for service in swarm.store.services.values())
    if not exists:
        swarm.create_service(name, replicas=chance.choice([None, 1, 3, 6]))
        return
    replicated = "Replicated" in swarm.service(name).spec["Mode"]
    node = chance.choice([one.id for one in swarm.store.nodes.values() if one.role == "worker"])
    tasks = [task for task in swarm.tasks(name) if task.container_id and not task.state.ended]
    match chance.randrange(8):
        case 0:
            swarm.remove_service(name)
        case 1 | 2 if replicated:
            swarm.scale(name, chance.randrange(8))
        case 3:
            swarm.deploy(name, chance.choice(["app:1", "app:2", "app:bad", "app:none"]))
        case 4 if tasks:
            swarm.end_task(chance.choice(tasks).id, chance.choice([0, 1, 137]))
        case 5:
            swarm.node_down(node)
        case 6:
            swarm.node_ready(node)
        case 7:
            swarm.set_node(node, availability=chance.choice(["active", "pause", "drain"]))


@virtual()
async def test_one_odd_answer_does_not_lose_touch() -> None:
    """A read that fails by itself is made good by a list; the mirror stays in touch."""
    swarm = small_swarm()
    service_id = swarm.create_service("web", replicas=2)
    await swarm.converged("web")
    async with mirrored(swarm) as watched:
        await asyncio.sleep(5)
        watched.engine.faults.fail_next("service", BadAnswer("half an answer"))
        swarm.scale("web", 4)
        await asyncio.sleep(1)
        assert watched.mirror.fresh
        await asyncio.sleep(6)
        assert watched.mirror.services()[service_id].replicas == 4


@virtual()
async def test_not_found_removes_and_only_that() -> None:
    """A service that is gone when it is read is dropped, with its tasks told as ended."""
    swarm = small_swarm()
    service_id = swarm.create_service("web", replicas=2)
    await swarm.converged("web")
    async with mirrored(swarm) as watched:
        await asyncio.sleep(5)
        watched.tasks_told.clear()
        watched.engine.faults.fail_next("service", NotFound("gone"))
        watched.mirror.hint(Event("service", "update", service_id, 1))
        await asyncio.sleep(0.2)
        assert service_id not in watched.mirror.services()
        [(service, before, now)] = watched.tasks_told
        assert (service.id, len(before), now) == (service_id, 2, ())
        await asyncio.sleep(31)
        assert watched.differences() == []


@virtual()
async def test_tasks_that_did_not_change_are_the_same_objects() -> None:
    """Who compares tasks before and after has to look at few; the first list has no before."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=3)
    await swarm.converged("web")
    async with mirrored(swarm) as watched:
        [(_, before, first)] = watched.tasks_told
        assert before is None
        assert watched.mirror.by_name("web").running_since == {}
        await asyncio.sleep(31)
        swarm.scale("web", 4)
        await swarm.converged("web")
        await asyncio.sleep(2.1)
        tasks = watched.mirror.by_name("web").tasks
        kept = [task for task in tasks if task.slot != 4]
        assert [id(task) for task in kept] == [id(task) for task in first]
        [new] = [task for task in tasks if task.slot == 4]
        since = watched.mirror.by_name("web").running_since
        assert set(since) == {new.id}
        assert watched.now() - since[new.id] < 3.5
        for _, old, now in watched.tasks_told[1:]:
            assert old is not None
            assert {id(task) for task in first} <= {id(task) for task in now}


@virtual()
async def test_tasks_are_newest_first_within_a_slot() -> None:
    """A view's tasks go by slot, the newest first, ended ones included."""
    swarm = small_swarm()
    swarm.behaviours["app:1"] = Behaviour(exit_after=2.0)
    swarm.create_service("web", replicas=2)
    await asyncio.sleep(60)
    async with mirrored(swarm) as watched:
        tasks = watched.mirror.by_name("web").tasks
        assert [task.slot for task in tasks] == [1] * 5 + [2] * 5
        for slot in (tasks[:5], tasks[5:]):
            stamps = [task.created_at for task in slot]
            assert stamps == sorted(stamps, reverse=True)


@virtual()
async def test_our_own_write_is_read_at_once() -> None:
    """`expect` reads the service within its calls' own time, hints or not."""
    swarm = small_swarm()
    service_id = swarm.create_service("web", replicas=2)
    await swarm.converged("web")
    async with mirrored(swarm, events=False) as watched:
        await asyncio.sleep(5)
        swarm.scale("web", 3)
        version = swarm.service("web").version
        watched.mirror.expect([service_id])
        await asyncio.sleep(2.5 * watched.engine.faults.latency)
        view = watched.mirror.view(service_id)
        assert view.service.version == version
        assert watched.now() - view.version_since < 0.01
        assert watched.now() - view.tasks_read_at < 0.01
