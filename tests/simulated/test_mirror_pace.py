"""How often the mirror asks: bounded in bursts, brisk while something moves, quiet else."""

import asyncio

from monitor.model.event import Event
from monitor.simulate.executor import Behaviour
from tests.simulated.mirrored import mirrored
from tests.simulated.virtual import small_swarm, virtual

READS = ("service", "tasks", "services", "nodes")


@virtual()
async def test_a_converged_swarm_is_only_listed() -> None:
    """Nothing moves: three calls every 30 s, and no others."""
    swarm = small_swarm()
    for number in range(5):
        swarm.create_service(f"s{number}", replicas=2)
    await asyncio.sleep(10)
    async with mirrored(swarm) as watched:
        await asyncio.sleep(10)
        start = watched.now()
        await asyncio.sleep(300)
        assert watched.calls_since(start, "nodes") == 10
        assert watched.calls_since(start, "services") == 10
        assert watched.calls_since(start, "tasks") == 10
        assert watched.calls_since(start, "service") == 0


@virtual()
async def test_unconverged_services_are_read_every_second_then_every_two() -> None:
    """A service that cannot start is read each second for 30 s, then every 2 s, for ever."""
    swarm = small_swarm()
    service_id = swarm.create_service("stuck", replicas=2, cpu_reservation=100.0)
    await asyncio.sleep(1)
    async with mirrored(swarm) as watched:
        begin = watched.now()
        await asyncio.sleep(29.5)
        reads = [call for call in watched.engine.log if call.key == service_id]
        assert 27 * 2 <= len(reads) <= 30 * 2
        await asyncio.sleep(10)
        start = watched.now()
        await asyncio.sleep(60)
        assert 27 <= watched.calls_since(start, "service") <= 30
        assert begin < start


@virtual()
async def test_a_task_without_any_container_event_is_seen_within_seconds() -> None:
    """A task that becomes runnable on another node is held running 1 to 2 s later."""
    swarm = small_swarm(workers=0)
    swarm.create_service("web", replicas=2, cpu_reservation=3.0)
    await asyncio.sleep(1)
    async with mirrored(swarm) as watched:
        await asyncio.sleep(100)
        assert len(watched.mirror.by_name("web").running_tasks) == 1
        watched.engine.bus.faults.drop = 1.0
        swarm.add_node("w1")
        await swarm.converged("web")
        await asyncio.sleep(2.1)
        assert len(watched.mirror.by_name("web").running_tasks) == 2


@virtual()
async def test_a_burst_of_10_000_events_is_coalesced() -> None:
    """10,000 hints within a second cost some dozen calls, and what they told of is held."""
    swarm = small_swarm()
    ids = [swarm.create_service(f"s{number}", replicas=1) for number in range(15)]
    await asyncio.sleep(10)
    async with mirrored(swarm) as watched:
        await asyncio.sleep(10)
        start = watched.now()
        swarm.scale("s7", 3)
        for number in range(10_000):
            watched.mirror.hint(Event("service", "update", ids[number % 15], number))
            if number % 100 == 99:
                await asyncio.sleep(0.01)
        assert watched.mirror.view(ids[7]).service.replicas == 3
        await asyncio.sleep(3)
        # 15 services, one read each quarter second while hints come, then two polls.
        assert watched.calls_since(start, *READS) <= 15 * 2 * (5 + 3) + 3
        assert watched.engine.most_at_once <= 16
        assert watched.differences() == []


@virtual()
async def test_many_services_in_doubt_are_one_list() -> None:
    """Hints about 200 services lead to lists, at most one a second, not to 400 reads."""
    swarm = small_swarm()
    ids = [swarm.create_service(f"s{number}", replicas=1) for number in range(200)]
    await asyncio.sleep(10)
    async with mirrored(swarm) as watched:
        await asyncio.sleep(10)
        start = watched.now()
        for number in range(10_000):
            watched.mirror.hint(Event("service", "update", ids[number % 200], number))
            if number % 100 == 99:
                await asyncio.sleep(0.01)
        await asyncio.sleep(5)
        assert watched.calls_since(start, "services") <= 6
        assert watched.calls_since(start, "service") <= 40
        quiet = watched.now()
        await asyncio.sleep(20)
        assert watched.calls_since(quiet, *READS) <= 3


@virtual()
async def test_lists_take_at_most_a_fifth_of_the_time() -> None:
    """Where a list takes long, a backlog does not make the mirror list all the time."""
    swarm = small_swarm()
    for number in range(50):
        swarm.create_service(f"s{number}", replicas=1, cpu_reservation=100.0)
    await asyncio.sleep(10)
    async with mirrored(swarm) as watched:
        watched.engine.faults.slow = 2.0
        await asyncio.sleep(60)
        start = watched.now()
        await asyncio.sleep(240)
        assert watched.calls_since(start, "services") <= 240 / 12 + 1
        assert watched.calls_since(start, "service") == 0


@virtual()
async def test_our_own_write_does_not_wait_for_a_backlog() -> None:
    """While a backlog waits for its list, an expected service is read at once."""
    swarm = small_swarm()
    for number in range(50):
        swarm.create_service(f"s{number}", replicas=1, cpu_reservation=100.0)
    web = swarm.create_service("web", replicas=1)
    await asyncio.sleep(10)
    async with mirrored(swarm) as watched:
        watched.engine.faults.answer_delay = lambda method, _: 2.0 if method == "services" else 0.0
        await asyncio.sleep(30)
        listed = watched.mirror.resyncs_total
        while watched.mirror.resyncs_total == listed:
            await asyncio.sleep(0.1)
        await asyncio.sleep(4)  # 50 polls are due and wait: a list took 2 s, the next is in 6 s
        swarm.scale("web", 2)
        watched.mirror.expect([web])
        await asyncio.sleep(0.02)
        assert watched.mirror.services()[web].replicas == 2
        assert watched.mirror.resyncs_total == listed + 1


@virtual()
async def test_resyncs_are_coalesced() -> None:
    """A thousand requests for a list lead to one list, and one more for the late ones."""
    swarm = small_swarm()
    async with mirrored(swarm) as watched:
        await asyncio.sleep(10)
        before = watched.mirror.resyncs_total
        for _ in range(1000):
            watched.mirror.resync("an event could not be read")
        await asyncio.sleep(0.003)
        watched.mirror.resync("another")
        await asyncio.sleep(5)
        assert watched.mirror.resyncs_total == before + 2


@virtual()
async def test_noise_of_health_checks_costs_nothing() -> None:
    """exec events of health checks mark nothing stale."""
    swarm = small_swarm()
    service_id = swarm.create_service("web", replicas=1)
    await asyncio.sleep(10)
    async with mirrored(swarm) as watched:
        await asyncio.sleep(10)
        start = watched.now()
        attributes = {"com.docker.swarm.service.id": service_id}
        for number in range(1000):
            for action in ("exec_create: /check", "exec_start: /check", "exec_die"):
                watched.mirror.hint(Event("container", action, "c", number, attributes))
        await asyncio.sleep(10)
        assert watched.calls_since(start, *READS) == 0


@virtual()
async def test_a_crash_is_followed_through() -> None:
    """The state a manager learns only after the container's event is held 1 to 2 s later."""
    swarm = small_swarm(workers=0)
    swarm.behaviours["app:1"] = Behaviour()
    swarm.create_service("web", replicas=1)
    await swarm.converged("web")
    async with mirrored(swarm) as watched:
        await asyncio.sleep(10)
        [task] = swarm.running("web")
        # The event is there; the Swarm takes a second to notice.
        watched.mirror.hint(
            Event("container", "die", "c", 1, {"com.docker.swarm.service.id": task.service_id})
        )
        await asyncio.sleep(1.0)
        watched.engine.bus.faults.drop = 1.0
        swarm.end_task(task.id, 1)
        await asyncio.sleep(1.2)
        assert not watched.mirror.by_name("web").running_tasks
