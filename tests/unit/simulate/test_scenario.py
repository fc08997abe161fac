"""Scenarios: what may stand in them, what is wrong with them, and the curves of load."""

import asyncio
from pathlib import Path

import pytest

from monitor.simulate.scenario import curves
from monitor.simulate.scenario.load import load_scenario
from monitor.simulate.scenario.stage import Stage
from monitor.simulate.swarm import Swarm
from tests.simulated.virtual import virtual


@virtual()
async def test_the_shipped_scenario_lives() -> None:
    """Five nodes come up, every service converges, and its load differs from time to time."""
    loaded = load_scenario()
    assert loaded.scenario is not None, loaded.problems
    swarm = Swarm(seed=1)
    stage = Stage(swarm, loaded.scenario)
    assert list(stage.nodes) == ["m1", "m2", "m3", "w1", "w2"]
    await asyncio.sleep(20)
    for service in loaded.scenario.services:
        assert len(swarm.running(service.name)) == (
            5 if service.mode == "global" else service.replicas
        )
    web = swarm.service("web").id
    before = swarm.load.demand(web, swarm.mono())
    await asyncio.sleep(60)
    assert swarm.load.demand(web, swarm.mono()) > before + 0.1
    await asyncio.sleep(30)
    assert any(task.state.label == "failed" for task in swarm.tasks("mailer"))
    swarm.close()


@virtual()
async def test_what_shall_happen_happens_at_its_time(tmp_path: Path) -> None:
    """Nodes go and come back, deploys are made; what a person removed before is left out."""
    file = tmp_path / "s.yml"
    file.write_text(
        "version: 1\n"
        "nodes: [{name: m, role: manager, labels: {zone: a}}, {name: w, cpus: 2, memory: 1GiB}]\n"
        "services: [{name: web, replicas: 2}, {name: gone}]\n"
        "happens:\n"
        "  - {at: 30s, deploy: gone, image: 'app:2'}\n"
        "  - {at: 10s, node_down: w}\n"
        "  - {at: 20s, node_ready: w}\n"
        "  - {at: 30s, deploy: web, image: 'app:2'}\n"
    )
    loaded = load_scenario(file)
    assert loaded.scenario is not None, loaded.problems
    swarm = Swarm()
    stage = Stage(swarm, loaded.scenario, path=file)
    happening = asyncio.create_task(stage.run())
    swarm.remove_service("gone")
    states = []
    for _ in range(3):
        await asyncio.sleep(9)
        states.append(swarm.node(stage.nodes["w"]).state.value)
    assert states == ["ready", "down", "ready"]
    assert swarm.node(stage.nodes["m"]).labels == {"zone": "a"}
    await happening
    await swarm.converged("web")
    image = swarm.service("web").spec["TaskTemplate"]["ContainerSpec"]["Image"]
    assert image == "app:2"
    swarm.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: 1\nservices: [{name: web, cpus: 1}]", "2:24: services"),
        ("version: 1\nservices: [{name: web}, {name: web}]", "2:32: "),
        ("version: 1\nservices: [{name: web, cpu: {daily: {low: 1}}}]", "high"),
        ("version: 1\nservices: [{name: web, cpu: {}}]", "write one of constant, step"),
        ("version: 1\nservices: [{name: web, cpu: {trace: {file: no.csv}}}]", "cannot be read"),
        ("version: 1\nservices: [{name: web, memory: 60}]", 'write "60MiB"'),
        ("version: 1\nnodes: [{name: w1}]", "needs a manager"),
        ("version: 1\nhappens: [{at: 1s, deploy: web, image: x}]", "no service is named web"),
        ("version: 1\nhappens: [{at: 1s}]", "write one of node_down"),
        ("services: []", "version"),
        ("", "empty"),
        ("a: [", "1:"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    """Each problem names file, line and column, and what to write."""
    file = tmp_path / "s.yml"
    file.write_text(text)
    loaded = load_scenario(file)
    assert loaded.scenario is None
    said = "\n".join(str(problem) for problem in loaded.problems)
    assert f"{file}:" in said
    assert expected.partition("services")[0] in said, said


def test_curves_are_what_they_say(tmp_path: Path) -> None:
    """Steps, ramps, days, bursts and traces at moments where their values are known."""
    steps = curves.steps([(0.0, 1.0), (10.0, 2.0)], repeat=20.0)
    assert [steps(at) for at in (0, 9.9, 10, 19.9, 20)] == [1, 1, 2, 2, 1]
    assert curves.steps([(5.0, 1.0)])(4.0) == 0.0
    ramp = curves.ramp(1.0, 3.0, 10.0)
    assert [ramp(at) for at in (0, 5, 10, 99)] == [1, 2, 3, 3]
    day = curves.daily(1.0, 3.0, 100.0)
    assert [day(at) for at in (0, 25, 50, 100)] == pytest.approx([1, 2, 3, 1])
    burst = curves.burst(1.0, 9.0, 10.0, 2.0)
    assert [burst(at) for at in (0, 7.9, 8, 9.9, 10)] == [1, 1, 9, 9, 1]
    file = tmp_path / "t.csv"
    file.write_text("seconds,cores\n0,1\n10,3\n")
    points = curves.read_trace(file)
    line = curves.trace(points)
    assert [line(at) for at in (0, 5, 10, 99)] == [1, 2, 3, 3]
    assert curves.trace(points, repeat=True)(15) == 2
    for text, said in (("0,1\nx,2\n", ":2:"), ("", "no points"), ("1,1\n1,2\n", "must grow")):
        file.write_text(text)
        with pytest.raises(ValueError, match=said):
            curves.read_trace(file)
