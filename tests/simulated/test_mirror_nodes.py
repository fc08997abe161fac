"""Running and desired while nodes are down, unknown or drained."""

import asyncio

from tests.simulated.mirrored import mirrored
from tests.simulated.virtual import node_id, small_swarm, virtual


@virtual()
async def test_a_node_that_is_down_takes_its_tasks_out_of_running() -> None:
    """Their state stays `running` for a day; the view counts replacements only."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=6)
    swarm.create_service("agent", replicas=None)
    await swarm.converged("web")
    async with mirrored(swarm) as watched:
        await asyncio.sleep(5)
        lost = node_id(swarm, "w1")
        swarm.node_down(lost)
        await asyncio.sleep(0.15)
        web = watched.mirror.by_name("web")
        assert (len(web.running_tasks), web.desired) == (4, 6)
        assert all(task.node_id != lost for task in web.running_tasks)
        await asyncio.sleep(15)
        web, agent = watched.mirror.by_name("web"), watched.mirror.by_name("agent")
        assert (len(web.running_tasks), web.desired) == (6, 6)
        assert sum(1 for task in web.tasks if task.state.label == "running") == 8
        assert (len(agent.running_tasks), agent.desired) == (2, 2)
        start = watched.now()
        await asyncio.sleep(300)  # the dead node's tasks do not keep it polling
        assert watched.calls_since(start, "service") == 0
        swarm.node_ready(lost)
        await asyncio.sleep(10)
        assert watched.differences() == []
        agent = watched.mirror.by_name("agent")
        assert (len(agent.running_tasks), agent.desired) == (3, 3)


@virtual()
async def test_an_election_changes_nothing() -> None:
    """All nodes `unknown` for some seconds: running and desired stay."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=6)
    await swarm.converged("web")
    async with mirrored(swarm) as watched:
        await asyncio.sleep(5)
        swarm.election(node_id(swarm, "m1"))
        for _ in range(80):
            await asyncio.sleep(0.1)
            web = watched.mirror.by_name("web")
            assert (len(web.running_tasks), web.desired) == (6, 6)
        assert {node.state.value for node in watched.mirror.nodes().values()} == {"unknown"}
        for node in list(swarm.store.nodes):
            swarm.node_ready(node)
        await asyncio.sleep(5)
        assert watched.differences() == []


@virtual()
async def test_a_drained_node_is_followed() -> None:
    """Its tasks move; a global service wants one task less, and one more afterwards."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=6)
    swarm.create_service("agent", replicas=None)
    await swarm.converged("web")
    async with mirrored(swarm) as watched:
        await asyncio.sleep(5)
        drained = node_id(swarm, "w1")
        swarm.drain(drained)
        await asyncio.sleep(0.3)
        assert watched.mirror.nodes()[drained].availability == "drain"
        assert watched.mirror.by_name("agent").desired == 2
        await asyncio.sleep(4)
        web, agent = watched.mirror.by_name("web"), watched.mirror.by_name("agent")
        assert (len(web.running_tasks), web.desired) == (6, 6)
        assert drained not in {task.node_id for task in web.running_tasks}
        assert (len(agent.running_tasks), agent.desired) == (2, 2)
        swarm.activate(drained)
        await asyncio.sleep(32)  # a global service's new task has no event on this node
        agent = watched.mirror.by_name("agent")
        assert (len(agent.running_tasks), agent.desired) == (3, 3)
        assert watched.differences() == []


@virtual()
async def test_a_global_update_that_starts_first_does_not_want_two_per_node() -> None:
    """Old and new task of one node are one place while the new one takes over."""
    swarm = small_swarm()
    swarm.create_service("agent", replicas=None, update={"Order": "start-first", "Parallelism": 1})
    await asyncio.sleep(5)
    async with mirrored(swarm) as watched:
        await asyncio.sleep(5)
        swarm.deploy("agent", "app:2")
        for _ in range(100):
            await asyncio.sleep(0.1)
            assert watched.mirror.by_name("agent").desired == 3


@virtual()
async def test_a_removed_node_is_dropped() -> None:
    """`docker node rm` is held at once."""
    swarm = small_swarm()
    swarm.create_service("web", replicas=6)
    await swarm.converged("web")
    async with mirrored(swarm) as watched:
        await asyncio.sleep(5)
        lost = node_id(swarm, "w2")
        swarm.node_down(lost)
        await asyncio.sleep(10)
        swarm.remove_node(lost)
        await asyncio.sleep(0.2)
        assert lost not in watched.mirror.nodes()
        await asyncio.sleep(31)
        assert watched.differences() == []
