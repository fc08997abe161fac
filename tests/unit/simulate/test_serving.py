"""Services that serve requests: the stated model, against figures computed by hand."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from monitor.simulate.http.loads import exposition, serve_loads
from monitor.simulate.scenario.load import load_scenario
from monitor.simulate.scenario.stage import Stage
from monitor.simulate.serving import Requests, Serving
from monitor.simulate.swarm import Swarm
from tests.simulated.virtual import virtual


def test_latency_is_that_of_processor_sharing() -> None:
    """30 requests a second of 20 ms on one core: 60 % used, 20 ms / 0.4 and the wait of 10 ms;
    by Little's law 30 * 60 ms = 1.8 requests are there."""
    serving = Serving(Requests(rate=30.0, cpu=0.02, wait=0.01))
    assert serving.advance(0.0, 10.0, cores=1.0) == pytest.approx(6.0)
    now = serving.look(cores=1.0, tasks=1)
    assert now.capacity == pytest.approx(50)
    assert now.utilization == pytest.approx(0.6)
    assert now.latency == pytest.approx(0.06)
    assert now.in_service == pytest.approx(1.8)
    assert (now.queue, now.refused) == (0, 0)


def test_a_throttled_task_takes_longer_for_each() -> None:
    """With half a core a request of 20 ms of CPU takes 40 ms even where nothing else runs."""
    serving = Serving(Requests(rate=0.0, cpu=0.02))
    serving.advance(0.0, 1.0, cores=0.5)
    assert serving.look(cores=0.5, tasks=1).latency == pytest.approx(0.04)
    assert serving.look(cores=4.0, tasks=2).latency == pytest.approx(0.02)


def test_what_exceeds_capacity_waits_drains_and_is_refused_beyond_the_queue() -> None:
    """80 a second on a capacity of 50: 30 a second wait, 100 at most; then 10 a second let 40
    a second drain. Latency is bounded, and has the queue's 100 / 50 s on top."""
    serving = Serving(
        Requests(rate=lambda at: 80.0 if at < 5 else 10.0, cpu=0.02, most_waiting=100)
    )
    assert serving.advance(0.0, 2.0, cores=1.0) == pytest.approx(2.0)
    assert serving.look(1.0, 1).queue == pytest.approx(60)
    serving.advance(2.0, 5.0, cores=1.0)
    full = serving.look(1.0, 1)
    assert (full.queue, full.utilization) == (100, 1.0)
    assert full.refused == pytest.approx(50)
    assert full.latency == pytest.approx(0.02 / 0.05 + 2.0)
    serving.advance(5.0, 6.0, cores=1.0)
    assert serving.look(1.0, 1).queue == pytest.approx(60)
    serving.advance(6.0, 10.0, cores=1.0)
    calm = serving.look(1.0, 1)
    assert calm.queue == 0
    assert calm.utilization == pytest.approx(0.2)
    assert calm.served + calm.refused == pytest.approx(400 + 50)


def test_without_tasks_requests_wait_and_nobody_can_say_how_long() -> None:
    """Ten seconds without a task leave all requests in the queue, and no latency at all."""
    serving = Serving(Requests(rate=10.0, cpu=0.02))
    assert serving.advance(0.0, 10.0, cores=0.0) == 0.0
    now = serving.look(0.0, 0)
    assert (now.queue, now.latency, now.capacity) == (100, None, 0)


def staged(tmp_path: Path, requests: str) -> Swarm:
    file = tmp_path / "s.yml"
    file.write_text(
        "version: 1\nnodes: [{name: m, role: manager}]\nservices:\n"
        "  - {name: web, replicas: 2, cpu_limit: 0.5, memory: 10MiB, start: 0.1s,\n"
        f"     requests: {requests}}}\n  - {{name: idle}}\n"
    )
    loaded = load_scenario(file)
    assert loaded.scenario is not None, loaded.problems
    swarm = Swarm(seed=1)
    Stage(swarm, loaded.scenario, path=file)
    return swarm


@virtual()
async def test_tasks_use_what_their_requests_take(tmp_path: Path) -> None:
    """40 requests a second of 10 ms are 0.4 cores, half of them each of two tasks'; memory grows
    by what a request takes while it is there."""
    swarm = staged(tmp_path, "{rate: 40, cpu: 10ms, wait: 1s, memory: 1MiB}")
    await asyncio.sleep(10)
    [one, other] = swarm.running("web")

    def used(task) -> float:
        return swarm.load.cpu_seconds(task.service_id, task.id, swarm.mono())

    before = used(one), used(other)
    await asyncio.sleep(10)
    assert used(one) - before[0] == pytest.approx(2.0)
    assert used(other) - before[1] == pytest.approx(2.0)
    served = swarm.served("web")
    assert served is not None
    assert served.utilization == pytest.approx(0.4)
    reading = swarm.load.reading(one.service_id, one.id, None, swarm.mono())
    there = 40 * (1 + 0.02 / 0.6)  # by Little's law, of both
    assert reading.memory_usage == pytest.approx((10 + there / 2) * 2**20, rel=1e-6)
    assert swarm.served("idle") is None
    swarm.close()


@virtual()
async def test_a_scale_up_drains_the_queue(tmp_path: Path) -> None:
    """150 a second against a capacity of 100 fill the queue; twice the tasks empty it."""
    swarm = staged(
        tmp_path, "{rate: {ramp: {from: 150, to: 150, over: 1s}}, cpu: 10ms, queue: 400}"
    )
    await asyncio.sleep(60)
    full = swarm.served("web")
    assert full is not None
    assert (full.queue, full.utilization) == (400, 1)
    assert full.refused > 0

    def four(spec) -> None:
        spec["Mode"]["Replicated"]["Replicas"] = 4

    swarm.change("web", four)
    await asyncio.sleep(30)
    calm = swarm.served("web")
    assert calm is not None
    assert (calm.queue, calm.utilization) == (0, pytest.approx(0.75))
    swarm.close()


@pytest.mark.parametrize(
    ("requests", "said"),
    [
        ("{cpu: 10ms}", "rate"),
        ("{rate: 10}", "cpu"),
        ("{rate: {step: {steps: [{at: 0s, cores: 1}]}}, cpu: 10ms}", "rate"),
        ("{rate: {}, cpu: 10ms}", "write one of constant, step"),
        ("{rate: {trace: {file: no.csv}}, cpu: 10ms}", "no.csv cannot be read"),
        ("{rate: 10, cpu: 0s}", "must be from 0.0001s"),
        ("{rate: 10, cpu: 10ms}, cpu: 1", "leave out cpu, or requests"),
    ],
)
def test_what_is_wrong_with_requests_is_said(tmp_path: Path, requests: str, said: str) -> None:
    """Each problem has its place and says what to write."""
    file = tmp_path / "s.yml"
    file.write_text(f"version: 1\nservices: [{{name: web, requests: {requests}}}]")
    loaded = load_scenario(file)
    assert loaded.scenario is None
    assert any(problem.line == 2 and said in str(problem) for problem in loaded.problems), (
        loaded.problems
    )


async def test_what_rules_may_read_is_told_over_http(tmp_path: Path) -> None:
    """/loads/NAME has the queue under its name, /metrics has a series of each; others are 404."""
    swarm = staged(tmp_path, "{rate: 40, cpu: 10ms}")
    async with (
        serve_loads(swarm, "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        asyncio.timeout(20),
    ):
        one = await (await session.get("/loads/web")).json()
        everything = await (await session.get("/loads")).json()
        text = await (await session.get("/metrics")).text()
        idle, nobody = await session.get("/loads/idle"), await session.get("/loads/nobody")
    assert {"queue", "latency", "utilization", "rate"} <= one.keys()
    assert list(everything) == ["web"]
    assert 'simulated_requests_queue{service="web"} ' in text
    assert (idle.status, nobody.status) == (404, 404)
    assert "latency_seconds{" not in exposition({})
    swarm.close()
