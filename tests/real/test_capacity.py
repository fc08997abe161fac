"""What the nodes have no room for is not asked for, and a node that joins is made use of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.real.acting import IDLE_COMMAND, Record, recording, rules
from tests.real.agent import AgentProcess, running_agent, wait_for
from tests.real.backlog import Backlog, backlog
from tests.real.conftest import SwarmFactory
from tests.real.lab import Swarm, eventually

pytestmark = pytest.mark.slow

FIT = 4  # tasks on a node of any size: each reserves a little less than a fourth of its cores

RULE = """
- name: encoder
  services: [web]
  scale:
    min: {least}
    max: 10
    metrics: [{metric}]
    scale_up: {{policies: [{policy}]}}
"""


@pytest.fixture(scope="module")
def swarm(swarm_of: SwarmFactory) -> Swarm:
    """A manager and a worker, both with the same number of cores."""
    return swarm_of(1, 1)


@pytest.fixture(autouse=True)
def no_services_left(swarm: Swarm) -> Iterator[None]:
    """Every test begins and ends without tasks."""
    yield
    swarm.remove_services()


@dataclass(frozen=True, slots=True)
class Scene:
    """Service `web` of one replica, whose rule asks for more from the beginning."""

    swarm: Swarm
    agent: AgentProcess
    load: Backlog
    record: Record

    def why(self) -> dict[str, Any]:
        """The newest decision as `why --json` prints it; an empty one before the first."""
        said = self.agent.command("why", "web", "--json", "--limit", "1")
        found: list[dict[str, Any]] = json.loads(said.stdout) if said.returncode == 0 else []
        return found[0] if found else {"reason": said.stderr, "current": None}

    def states(self) -> list[str]:
        """Of the tasks that the Swarm wants, in the alphabet's order."""
        return sorted(
            task["Status"]["State"]
            for task in self.swarm.tasks("web")
            if task["DesiredState"] not in ("shutdown", "remove")
        )

    def wait_full(self, count: int) -> dict[str, Any]:
        """Until so many run, none waits, and the agent says that no more fit."""
        wait_for(
            lambda: (self.agent.reason("web"), self.states()) == ("capacity", ["running"] * count),
            60,
            lambda: f"{count} and capacity: {self.agent.decisions('web')[:1]}, {self.states()}",
        )
        newest = self.why()
        assert (newest["reason"], newest["current"], newest["desired"]) == (
            ("capacity", count, count)
        )
        return newest


@contextmanager
def encoder(
    swarm: Swarm,
    folder: Path,
    *options: str,
    wanted: int = 10,
    least: int = 1,
    policy: str = "{type: replicas, value: 20, period: 1s}",
) -> Iterator[Scene]:
    swarm.create_service("web", "--replicas=1", *options, command=IDLE_COMMAND)
    with backlog() as load:
        load.ask_for(wanted)
        body = RULE.format(least=least, policy=policy, metric=load.metric)
        with (
            running_agent(folder, swarm.manager.url, rules(folder, body)) as agent,
            recording(swarm.manager, "web") as record,
        ):
            yield Scene(swarm, agent, load, record)


def share_of_a_node(swarm: Swarm) -> str:
    """An option of `docker service create` so that FIT tasks fit on a node."""
    (cores,) = {
        node["Description"]["Resources"]["NanoCPUs"] / 1e9
        for node in swarm.manager.api("GET", "/nodes")
    }
    return f"--reserve-cpu={cores / (FIT + 0.4):.3f}"


def test_no_more_is_asked_for_than_fits(swarm: Swarm, tmp_path: Path) -> None:
    """Ten are wanted and four fit: four, none waits, and once a node is let in it goes on."""
    swarm.manager.docker("node", "update", "--availability=drain", "w1")
    with encoder(swarm, tmp_path, share_of_a_node(swarm)) as scene:
        full = scene.wait_full(FIT)
        assert full["sentence"] == (
            "web stays at 4 although 10 are wanted: "
            "4 fit (CPU to reserve of the 1 node that may run it)"
        )
        limited = next(one for one in full["conditions"] if one["type"] == "ScalingLimited")
        assert limited["reason"] == "InsufficientCapacity"
        assert max(scene.record.replicas) == FIT

        swarm.manager.docker("node", "update", "--availability=active", "w1")
        more = scene.wait_full(2 * FIT)
        assert "8 fit (CPU to reserve of the 2 nodes that may run it)" in more["sentence"]

        scene.load.ask_for(2 * FIT)
        wait_for(
            lambda: scene.agent.reason("web") == "within_tolerance",
            30,
            lambda: scene.agent.decisions("web")[:1],
        )
    assert set(scene.record.replicas) == {1, FIT, 2 * FIT}


def test_a_node_that_joins_is_made_use_of(swarm: Swarm, tmp_path: Path) -> None:
    """With one node in the Swarm four fit; another one joins, and eight run by themselves."""
    swarm.manager.docker("node", "update", "--availability=active", "w1")
    leave(swarm, "w1")
    try:
        with encoder(swarm, tmp_path, share_of_a_node(swarm)) as scene:
            scene.wait_full(FIT)
            assert max(scene.record.replicas) == FIT
            join(swarm, "w1")
            scene.wait_full(2 * FIT)
            assert set(scene.record.replicas) == {1, FIT, 2 * FIT}
    finally:
        join(swarm, "w1")


def test_min_is_asked_for_even_where_less_fits(swarm: Swarm, tmp_path: Path) -> None:
    """A rule's min stands above what fits; beyond it nothing is added while tasks wait."""
    options = (share_of_a_node(swarm), "--constraint=node.role==manager")
    with encoder(swarm, tmp_path, *options, least=FIT + 2) as scene:
        wait_for(
            lambda: (
                scene.agent.reason("web") == "capacity"
                and scene.states() == ["pending"] * 2 + ["running"] * FIT
            ),
            60,
            lambda: f"4 and 2 that wait: {scene.agent.decisions('web')[:1]}, {scene.states()}",
        )
        assert "10 are wanted: 4 fit" in scene.why()["sentence"]
    assert scene.record.replicas == [1, FIT + 2]


def test_tasks_that_wait_all_the_same_stop_scale_up(swarm: Swarm, tmp_path: Path) -> None:
    """What cannot be foreseen (here a label of the engine) is asked for once, and no further."""
    lacks = "--constraint=engine.labels.gpu==yes"
    slowly = "{type: replicas, value: 1, period: 20s}"  # a task has waited for long by then
    with encoder(swarm, tmp_path, lacks, wanted=10, policy=slowly) as scene:
        wait_for(
            lambda: scene.agent.reason("web") == "capacity",
            60,
            lambda: f"capacity: {scene.agent.decisions('web')[:1]}",
        )
        newest = scene.why()
        assert (newest["current"], newest["desired"]) == (2, 2)
        assert "although 10 are wanted: 2 tasks have waited for a node" in newest["sentence"]
        assert scene.states() == ["pending"] * 2
    assert scene.record.replicas == [1, 2]


def leave(swarm: Swarm, name: str) -> None:
    """The node leaves its Swarm and is forgotten there."""
    node = swarm.node(name)
    node.docker("swarm", "leave")
    eventually(
        lambda: swarm.manager.api("GET", f"/nodes/{node.node_id}")["Status"]["State"] == "down",
        60,
        f"{name} to be seen leaving",
    )
    swarm.manager.docker("node", "rm", node.node_id)
    node.node_id = ""


def join(swarm: Swarm, name: str) -> None:
    """The node joins the Swarm as a worker and as a new node, unless it is in it."""
    node = swarm.node(name)
    if not node.node_id:
        token = swarm.manager.docker("swarm", "join-token", "--quiet", "worker")
        node.docker("swarm", "join", "--token", token, f"{swarm.manager.address}:2377")
        node.node_id = node.api("GET", "/info")["Swarm"]["NodeID"]
    swarm.wait_ready()
