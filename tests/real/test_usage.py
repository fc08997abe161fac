"""Usage of tasks on a real engine: what the kernel counts, and what the daemon says of it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from monitor.agent.clock import SystemClock
from monitor.engine.client import DockerEngine
from monitor.model.container import Container
from monitor.model.event import Event
from monitor.model.usage import MetricKind, Sample
from monitor.usage.cgroup_v1 import V1Reader
from monitor.usage.cgroup_v2 import V2Reader
from monitor.usage.locate import Locator
from monitor.usage.network import NetworkReader
from monitor.usage.sampler import Sampler
from monitor.usage.task_usage import TaskUsage
from tests.real.lab import Swarm

pytestmark = pytest.mark.slow

CGROUP = Path("/sys/fs/cgroup")
MIB = 1 << 20
BUSY = ("sh", "-c", "yes >/dev/null")
HOLDS_50_MIB = ("sh", "-c", "dd if=/dev/zero of=/dev/shm/held bs=1M count=50; sleep 100000")
TALKS = ("sh", "-c", "ping -s 1000 $(ip route | awk '/default/ {print $3}')")
QUIET = ("sleep", "100000")


@pytest.fixture(autouse=True)
def no_services_left(one_node: Swarm) -> Iterator[None]:
    """Every test begins and ends without tasks."""
    yield
    if one_node.managers[0].frozen:
        one_node.managers[0].thaw()
    one_node.remove_services()


@asynccontextmanager
async def sampling(swarm: Swarm, proc: Path, cgroup: Path = CGROUP) -> AsyncIterator[Sampler]:
    async with DockerEngine(swarm.manager.url) as engine:
        sampler = Sampler(engine, SystemClock(), proc, cgroup)
        run = asyncio.create_task(sampler.run())
        try:
            yield sampler
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)


async def until(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    try:
        async with asyncio.timeout(seconds):
            while not (found := condition()):
                await asyncio.sleep(0.05)
            return found
    except TimeoutError:
        pytest.fail(f"waited {seconds} s for {what}")


def sample(sampler: Sampler, kind: MetricKind, window: float, task: str) -> Sample | None:
    now = asyncio.get_running_loop().time()
    return sampler.samples([task], kind, window, 5.0, now).get(task)


async def covered(sampler: Sampler, kind: MetricKind, window: float, task: str) -> Sample:
    """The sample once a whole window is behind it."""

    def whole() -> Sample | None:
        found = sample(sampler, kind, window, task)
        return found if found and found.span >= window else None

    found: Sample = await until(whole, f"{window} s of history")
    return found


def task_of(swarm: Swarm, service: str) -> str:
    (task,) = swarm.wait_running(service, 1)
    return str(task["ID"])


async def test_cpu_of_a_limited_task(one_node: Swarm) -> None:
    """A task that would use a whole core, limited to 0.1, shows 0.1 cores over 10 s."""
    one_node.create_service("busy", "--limit-cpu=0.1", command=BUSY)
    task = task_of(one_node, "busy")
    async with sampling(one_node, one_node.manager.proc) as sampler:
        found = await covered(sampler, MetricKind.CPU, 10.0, task)
        print(f"{found.value:.4f} cores over {found.span:.2f} s")
        assert found.value == pytest.approx(0.1, abs=0.03)
        assert sampler.from_files == 1
        reading = sampler.tasks()[task].reading
        assert reading is not None
        assert reading.cpu_throttled_periods is not None
        assert reading.cpu_throttled_periods > 10
        assert sampler.tasks()[task].container.cpu_limit == pytest.approx(0.1)


async def test_a_killed_child_is_counted(one_node: Swarm) -> None:
    """The kernel's own count of a living task's cgroup is read, and told within seconds."""
    greedy = ("sh", "-c", "sleep 4; tail /dev/zero; sleep 60")
    one_node.create_service("parent", "--limit-memory=24M", command=greedy)
    task = task_of(one_node, "parent")
    killed: list[str] = []
    async with DockerEngine(one_node.manager.url) as engine:
        sampler = Sampler(
            engine,
            SystemClock(),
            one_node.manager.proc,
            CGROUP,
            on_oom=lambda container: killed.append(container.task_id),
        )
        run = asyncio.create_task(sampler.run())
        await until(lambda: killed, "the kill to be counted")
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
    assert killed == [task]


async def test_memory_of_a_task(one_node: Swarm) -> None:
    """A task that holds 50 MiB shows them as its working set, and its limit."""
    one_node.create_service("holds", "--limit-memory=96M", command=HOLDS_50_MIB)
    task = task_of(one_node, "holds")
    async with sampling(one_node, one_node.manager.proc) as sampler:
        await until(
            lambda: (s := sample(sampler, MetricKind.MEMORY, 2.0, task)) and s.value >= 50 * MIB,
            "50 MiB",
        )
        found = await covered(sampler, MetricKind.MEMORY, 3.0, task)
        assert 50 * MIB <= found.value <= 56 * MIB
        reading = sampler.tasks()[task].reading
        assert reading is not None
        assert (reading.memory_limit, reading.pids) == (96 * MIB, 1)


@pytest.mark.parametrize("proc", ["the node's", "the machine's"])
async def test_network_of_a_task(one_node: Swarm, proc: str) -> None:
    """Traffic raises both counters, with the engine's /proc as with that of another namespace.

    In the second the engine's process numbers belong to other processes.
    """
    one_node.create_service("talks", command=TALKS)
    task = task_of(one_node, "talks")
    root = one_node.manager.proc if proc == "the node's" else Path("/proc")
    async with sampling(one_node, root) as sampler:

        def network() -> tuple[int, int] | None:
            usage: TaskUsage | None = sampler.tasks().get(task)
            if usage is None or usage.reading is None or usage.reading.network is None:
                return None
            return usage.reading.network.receive_bytes, usage.reading.network.transmit_bytes

        before = await until(network, "network counters")
        await until(
            lambda: (now := network()) and now[0] > before[0] + 2000 and now[1] > before[1] + 2000,
            "traffic to be counted",
        )
        assert sampler.stats.readings == 0


async def test_a_task_on_the_hosts_network_has_no_counters_of_its_own(one_node: Swarm) -> None:
    """The host's traffic is not the task's: neither files nor daemon tell any."""
    one_node.create_service("hosted", "--network=host", command=QUIET)
    task = task_of(one_node, "hosted")
    async with sampling(one_node, one_node.manager.proc) as sampler:
        usage = await until(lambda: sampler.tasks().get(task), "the task")
        async with DockerEngine(one_node.manager.url) as engine:
            from_daemon = await engine.stats(usage.container.id)
        reading = sampler.tasks()[task].reading
        assert reading is not None
        assert reading.network is None
        assert from_daemon.network is None


async def test_files_and_stats_api_agree(one_node: Swarm) -> None:
    """The daemon's counters lie between the files' before and after it was asked.

    CPU and network exactly so; memory, which may fall, within 2 MiB; limits and pids alike.
    """
    one_node.create_service(
        "both",
        "--limit-cpu=0.2",
        "--limit-memory=64M",
        command=("sh", "-c", "yes | cat >/dev/null"),
    )
    task_of(one_node, "both")
    async with DockerEngine(one_node.manager.url) as engine:
        (container,) = await engine.containers()
        read = reader_of(one_node, container)
        for _ in range(5):
            before = read()
            daemon = await engine.stats(container.id)
            after = read()
            assert before.cpu_seconds <= daemon.cpu_seconds <= after.cpu_seconds
            assert before.network.receive_bytes <= daemon.network.receive_bytes
            assert daemon.network.receive_bytes <= after.network.receive_bytes
            assert daemon.working_set == pytest.approx(after.working_set, abs=2 * MIB)
            assert daemon.memory_usage == pytest.approx(after.memory_usage, abs=2 * MIB)
            assert (daemon.memory_limit, daemon.pids) == (after.memory_limit, after.pids)
            assert before.cpu_periods <= daemon.cpu_periods <= after.cpu_periods
            assert daemon.block_read_bytes == after.block_read_bytes


async def test_out_of_reach_of_files_the_daemon_is_asked(one_node: Swarm, tmp_path: Path) -> None:
    """Without /sys/fs/cgroup and /proc the same 0.1 cores come from the stats API."""
    one_node.create_service("busy", "--limit-cpu=0.1", command=BUSY)
    task = task_of(one_node, "busy")
    async with sampling(one_node, tmp_path / "proc", tmp_path / "cgroup") as sampler:
        found = await covered(sampler, MetricKind.CPU, 10.0, task)
        print(f"{found.value:.4f} cores over {found.span:.2f} s from the stats API")
        assert found.value == pytest.approx(0.1, abs=0.03)
        assert (sampler.from_files, sampler.from_stats) == (0, 1)


@pytest.mark.parametrize("frozen", [False, True])
async def test_a_killed_container_is_dropped_without_an_event(
    one_node: Swarm, frozen: bool
) -> None:
    """The files tell that it is gone: its cgroup is removed, or, while the engine hangs, empty."""
    one_node.create_service("dies", command=QUIET)
    task = task_of(one_node, "dies")
    node = one_node.manager
    async with sampling(one_node, node.proc) as sampler:
        usage = await until(lambda: sampler.tasks().get(task), "the task")
        if frozen:
            node.freeze()
        os.kill(init_of(usage.container), signal.SIGKILL)
        await until(lambda: task not in sampler.tasks(), "the dead task to go", 10)
        assert sampler.roster.lists == 1


async def test_a_started_container_is_followed_from_its_event_on(one_node: Swarm) -> None:
    """A hint is enough for a new task to have readings within two seconds."""
    async with (
        sampling(one_node, one_node.manager.proc) as sampler,
        DockerEngine(one_node.manager.url) as engine,
    ):
        await until(lambda: sampler.roster.lists == 1, "the first list")
        one_node.create_service("new", command=QUIET)
        task = await asyncio.to_thread(task_of, one_node, "new")
        (container,) = await engine.containers()
        started = Event(
            type="container",
            action="start",
            actor_id=container.id,
            time_ns=0,
            attributes={"com.docker.swarm.task.id": task},
        )
        sampler.hint(started)
        await until(lambda: sample(sampler, MetricKind.CPU, 15.0, task), "a CPU sample", 5)
        assert sampler.roster.lists == 1


def reader_of(swarm: Swarm, container: Container) -> Callable[[], Any]:
    """Reads everything of one container now."""
    locator = Locator(swarm.manager.proc, CGROUP)
    location = locator.find(container)
    assert location is not None
    network = NetworkReader(swarm.manager.proc)
    memory = locator.host_memory()
    reader = (
        V2Reader(location.directories[""], memory)
        if location.version == 2
        else V1Reader(location.directories, memory)
    )
    return lambda: reader.read(True, network.read(container.id, container.pid, ""))


def init_of(container: Container) -> int:
    """The container's first process, as this machine numbers it."""
    found = [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cgroup")
        if container.id in path.read_text(errors="replace")
    ]
    return min(found)
