"""The product's own engine client against the simulated Engine API, beside the port in memory."""

import asyncio
from dataclasses import replace

import pytest

from monitor.engine.client import DockerEngine
from monitor.ports.errors import BadAnswer, BadRequest, Conflict, NotAManager, NotFound, Unreachable
from tests.unit.simulate.scene import served


async def test_every_read_equals_the_port_in_memory() -> None:
    """Identity, nodes, services, tasks, configs and containers are the same values either way."""
    async with served() as scene:
        swarm = scene.swarm
        web = swarm.create_service(
            "web",
            image="web:1",
            replicas=3,
            cpu_limit=0.5,
            memory_limit=100 << 20,
            labels={"tier": "front"},
            start_period=2.0,
            networks=["n1"],
        )
        swarm.create_service("agent", image="app:1", replicas=None)
        swarm.create_config("settings", {"a": "b"}, b"data")
        await swarm.converged("web")
        await swarm.converged("agent")
        swarm.end_task(swarm.running("web")[0].id, 137, oom=True)
        await asyncio.sleep(0.1)
        memory = swarm.engine(scene.node_id())
        async with DockerEngine(scene.url()) as http:
            await http.ping()
            assert await http.identity() == await memory.identity()
            assert list(await http.nodes()) == list(await memory.nodes())
            assert list(await http.services()) == [
                # A list's raw object has the counts in it, over HTTP alone.
                replace(service, raw=listed.raw)
                for service, listed in zip(
                    await memory.services(), await http.services(), strict=True
                )
            ]
            assert await http.service(web) == await memory.service(web)
            assert list(await http.tasks()) == list(await memory.tasks())
            assert list(await http.tasks(web)) == list(await memory.tasks(web))
            assert len(await http.tasks(web)) == 4
            assert await http.config("settings") == await memory.config("settings")
            containers = sorted(await http.containers(), key=lambda one: one.id)
            assert containers == sorted(await memory.containers(), key=lambda one: one.id)
            assert containers
            one = containers[0]
            assert await http.container(one.id) == await memory.container(one.id)


async def test_ended_containers_and_their_logs_equal_the_port_in_memory() -> None:
    """As long as they are not removed; the newest lines, as many as are asked for."""
    async with served() as scene:
        swarm = scene.swarm
        for name in ("w1", "w2"):
            swarm.drain(scene.node_id(name))
        swarm.create_service("web", image="web:1", replicas=2)
        await swarm.converged("web")
        oom, failed = swarm.running("web")
        swarm.logs[oom.id] = ["one", "zwei: ä", "three"]
        swarm.end_task(oom.id, 137, oom=True)
        swarm.end_task(failed.id, 3)
        memory = swarm.engine(scene.node_id())
        async with DockerEngine(scene.url()) as http:
            ended = {one.task_id: one for one in await http.ended_containers()}
            assert ended == {one.task_id: one for one in await memory.ended_containers()}
            assert (ended[oom.id].oom_killed, ended[failed.id].exit_code) == (True, 3)
            assert all(one.finished_at >= one.started_at > 0 for one in ended.values())
            assert list(await http.logs(ended[oom.id], 2)) == ["zwei: ä", "three"]
            for one in ended.values():
                assert list(await http.logs(one, 5)) == list(await memory.logs(one, 5))
            swarm.remove_container(oom.id)
            assert [one.task_id for one in await http.ended_containers()] == [failed.id]
            with pytest.raises(NotFound):
                await http.logs(ended[oom.id], 2)


async def test_stats_follow_from_the_load() -> None:
    """CPU seconds, memory and its limit over HTTP are those of the load model."""
    async with served() as scene:
        swarm = scene.swarm
        for name in ("w1", "w2"):
            swarm.drain(scene.node_id(name))
        swarm.create_service("web", image="web:1", replicas=2, memory_limit=100 << 20)
        swarm.create_service("free", image="app:1")
        swarm.set_memory("web", 60 << 20)
        await swarm.converged("web")
        await swarm.converged("free")
        swarm.set_load("web", 0.8)
        await asyncio.sleep(0.3)
        swarm.set_load("web", 0.0)  # stands still from here on
        memory = swarm.engine(scene.node_id())
        async with DockerEngine(scene.url()) as http:
            for task in swarm.running("web"):
                over_http = await http.stats(task.container_id)
                in_memory = await memory.stats(task.container_id)
                assert over_http.cpu_seconds == pytest.approx(in_memory.cpu_seconds, abs=1e-6)
                assert over_http.cpu_seconds > 0.1
                assert over_http.working_set == in_memory.working_set == 60 << 20
                assert over_http.memory_limit == in_memory.memory_limit == 100 << 20
            (free,) = swarm.running("free")
            assert (await http.stats(free.container_id)).memory_limit is None
            swarm.end_task(free.id)
            with pytest.raises(NotFound):
                await http.stats(free.container_id)


async def test_writes_do_what_the_port_does() -> None:
    """An update at the newest version is applied; a stale one is a conflict; so with configs."""
    async with served() as scene:
        swarm = scene.swarm
        web = swarm.create_service("web", image="web:1")
        async with DockerEngine(scene.url()) as http:
            service = await http.service(web)
            spec = {**service.raw["Spec"], "Mode": {"Replicated": {"Replicas": 3}}}
            await http.update_service(web, service.version, spec)
            assert (await http.service(web)).replicas == 3
            with pytest.raises(Conflict, match="update out of sequence"):
                await http.update_service(web, service.version, spec)
            with pytest.raises(NotFound):
                await http.update_service("nobody", 1, spec)
            newest = await http.service(web)
            with pytest.raises(BadRequest, match="mode change"):
                await http.update_service(web, newest.version, {**spec, "Mode": {"Global": {}}})
            await http.create_config("c", {"term": "1"}, b"x")
            with pytest.raises(Conflict):
                await http.create_config("c", {}, b"x")
            config = await http.config("c")
            await http.update_config(config, {"term": "2"})
            with pytest.raises(Conflict, match="update out of sequence"):
                await http.update_config(config, {"term": "3"})
            assert (await http.config("c")).labels == {"term": "2"}


async def test_events_arrive_as_on_the_port() -> None:
    """The stream gives the same events as the port in memory, replayed ones first."""
    async with served() as scene:
        swarm = scene.swarm
        async with DockerEngine(scene.url()) as http:
            swarm.create_service("web", image="web:1")
            await swarm.converged("web")
            async with (
                http.events(0) as over_http,
                swarm.engine(scene.node_id()).events(0) as in_memory,
            ):
                swarm.scale("web", 2)
                seen = []
                async with asyncio.timeout(10):
                    while "replicas.new" not in (seen[-1].attributes if seen else {}):
                        seen.append(await anext(over_http))
                assert seen == [await anext(in_memory) for _ in seen]
                assert next(event.action for event in seen if event.type == "service") == "create"


async def test_a_worker_and_a_dead_daemon_answer_as_such() -> None:
    """Swarm calls on a worker are NotAManager; a daemon that was cut off is Unreachable."""
    async with served() as scene:
        async with DockerEngine(scene.url("w1")) as http:
            assert not (await http.identity()).is_manager
            for call in (http.nodes, http.services, http.tasks):
                with pytest.raises(NotAManager):
                    await call()
            assert list(await http.containers()) == []
        async with DockerEngine(scene.url()) as http:
            await http.ping()
            scene.swarm.has_leader = False
            with pytest.raises(NotAManager, match="does not have a leader"):
                await http.services()
            scene.swarm.has_leader = True
            async with http.events(None) as events:
                scene.swarm.engine(scene.node_id()).cut_off()
                async with asyncio.timeout(10):
                    with pytest.raises((Unreachable, BadAnswer)):
                        await anext(events)
            with pytest.raises(Unreachable):
                await http.ping()


async def test_a_container_is_stopped_and_a_second_time_is_no_fault() -> None:
    """As an engine does: 204 once it has stopped, 304 where it had, 404 where there is none."""
    async with served() as scene:
        swarm = scene.swarm
        swarm.create_service("web", image="web:1", replicas=1)
        await swarm.converged("web")
        (task,) = swarm.running("web")
        async with DockerEngine(scene.url(swarm.node(task.node_id).name)) as http:
            await http.stop_container(task.container_id, 5)
            assert task.state.ended
            assert task.exit_code == 0
            await http.stop_container(task.container_id, None)
            with pytest.raises(NotFound):
                await http.stop_container("0" * 64, 5)
