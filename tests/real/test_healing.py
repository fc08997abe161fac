"""Tasks stopped one by one on real engines: those that leak, and those to be moved."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.real import fleet
from tests.real.acting import Load
from tests.real.callers import calling
from tests.real.lab import Swarm, eventually
from tests.real.lab.image import product_image

pytestmark = [pytest.mark.fleet, pytest.mark.thorough, pytest.mark.timeout(600)]

Json = dict[str, Any]

RULES = """\
version: 1
rules:
  - name: leak
    services: [leaky]
    restart:
      when: {memory_above: 40%, for: 3s}
      action: restart_task
      budget: {count: 10, within: 1h}
      backoff: {initial: 1s, max: 1s}
      quiet_after_deploy: 1s
  - name: even
    services: [six, three, solo]
    rebalance:
      when: {node_joined: 5s}
      quiet_after_deploy: 1s
"""
NETWORK = "calls"
# Answers on port 80; holds 40 MiB for good once a file of its task's name is there.
SERVES = (
    "sh",
    "-c",
    (
        "trap 'exit 0' TERM; httpd -p 80 -h /www; while :; do "
        "if [ -e /load/$TASK ] && [ ! -e /dev/shm/held ]; then "
        "dd if=/dev/zero of=/dev/shm/held bs=1M count=40; fi; sleep 0.2; done"
    ),
)
OPTIONS = (f"--network={NETWORK}", "--endpoint-mode=dnsrr", "--restart-delay=500ms")


@dataclass(frozen=True)
class Stage:
    """A manager and two workers under the agents' stack, and where calls come from."""

    swarm: Swarm
    leaks: Load

    @property
    def client(self) -> Path:
        """The network namespace of the task of `client`, which runs on the manager."""
        node = self.swarm.manager
        [task] = self.swarm.running("client")
        container = task["Status"]["ContainerStatus"]["ContainerID"]
        process = node.api("GET", f"/containers/{container}/json")["State"]["Pid"]
        return node.proc / str(process) / "ns" / "net"

    def ids(self, service: str) -> set[str]:
        return {task["ID"] for task in self.swarm.running(service)}

    def spread(self, service: str) -> Counter[str]:
        """Running tasks by the id of their node."""
        return Counter(task["NodeID"] for task in self.swarm.running(service))

    def acted(self, service: str) -> list[Json]:
        """Decisions about the service that were carried out, oldest first."""
        path = f"/api/v1/decisions?service={service}&limit=100"
        found: list[Json] = fleet.agent_json(self.swarm.manager, path)
        return [one for one in found if one["outcome"] == "applied"][::-1]

    def newest(self, service: str) -> Json:
        path = f"/api/v1/decisions?service={service}&limit=1"
        found: list[Json] = fleet.agent_json(self.swarm.manager, path)
        return found[0]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("healing")
    (folder / "own.yml").write_text(RULES)
    archive = product_image()
    with Swarm.start(1, 2, in_memory=True) as swarm:
        fleet.deploy_stack(swarm, archive, rules=folder / "own.yml")
        swarm.manager.docker("network", "create", "--driver=overlay", NETWORK)
        on_manager = "--constraint=node.role==manager"
        swarm.create_service("client", f"--network={NETWORK}", on_manager)
        swarm.wait_running("client", 1)
        yield Stage(swarm, Load(folder))
        for node in swarm.nodes:
            print(f"--- agent on {node.name}\n{fleet.agent_log(node)[-4000:]}")


def test_only_what_leaks_is_replaced_and_one_at_a_time(stage: Stage) -> None:
    """Two of four tasks hold 40 of 64 MiB: they are stopped one after the other, the others keep
    their ids, and at every moment at least three replicas answer."""
    swarm = stage.swarm
    options = (*OPTIONS, "--env=TASK={{.Task.ID}}", "--limit-memory=64M", stage.leaks.mount)
    swarm.create_service("leaky", "--replicas=4", *options, command=SERVES)
    first = sorted(task["ID"] for task in swarm.wait_running("leaky", 4))
    sick = {first[0], first[2]}
    with calling(swarm, swarm.manager, stage.client, ["leaky"]) as calls:
        eventually(
            lambda: (
                stage.newest("leaky")["reason"] == "condition_not_met"
                and sum(seen["used"] for seen in stage.newest("leaky")["inputs"]) == 4
                and calls.rounds["leaky"]
                and calls.rounds["leaky"][-1].up == 4
            ),
            60,
            lambda: f"all to be measured and to answer: {stage.newest('leaky')}",
        )
        calls.rounds["leaky"].clear()
        for task in sick:
            (stage.leaks.folder / task).touch()
        eventually(
            lambda: len(stage.ids("leaky")) == 4 and not sick & stage.ids("leaky"),
            90,
            lambda: f"both to be replaced: {stage.newest('leaky')}",
        )
        # Time enough for a third one, had these not been all.
        seen = len(calls.rounds["leaky"])
        eventually(
            lambda: (
                stage.newest("leaky")["reason"] == "condition_not_met"
                and len(calls.rounds["leaky"]) > seen + 60
            ),
            60,
            lambda: f"calm: {stage.newest('leaky')}",
        )
    print(calls.told("leaky"))
    assert set(first) & stage.ids("leaky") == set(first) - sick
    stopped = [task for task in swarm.tasks("leaky") if task["DesiredState"] == "shutdown"]
    assert {task["ID"] for task in stopped} == sick
    assert [one["action"] for one in stage.acted("leaky")] == ["restart_task"] * 2
    assert calls.fewest("leaky") >= 3
    for task in first:
        if task not in sick:
            assert all(one.answered[task] for one in calls.rounds["leaky"])
    words = fleet.agent_exec(swarm.manager, "swarm-monitor", "ps", "leaky", "--json")
    causes = {one["task_id"]: one["cause"] for one in json.loads(words) if one["cause"]}
    assert causes == dict.fromkeys(sick, "restart_rule")


def test_a_node_that_came_back_gets_its_share_and_no_more(stage: Stage) -> None:
    """Six and three tasks on two of three nodes: two moves and one, one task at a time, so that no
    node has two more than another; all others keep their ids, and a single task is left alone."""
    swarm, back = stage.swarm, stage.swarm.workers[1]
    replicas = {"six": 6, "three": 3, "solo": 1}
    for name, count in replicas.items():
        swarm.create_service(name, f"--replicas={count}", *OPTIONS, command=SERVES)
    for name, count in replicas.items():
        swarm.wait_running(name, count)
    swarm.manager.docker("node", "update", "--availability=drain", back.node_id)
    for name, count in replicas.items():
        eventually(
            lambda name=name, count=count: (
                back.node_id not in stage.spread(name) and len(stage.ids(name)) == count
            ),
            60,
            lambda: f"the node to be empty: {swarm.tasks('six')}",
        )
    before = {name: stage.ids(name) for name in replicas}
    assert sorted(stage.spread("six").values()) == [3, 3]
    with calling(swarm, swarm.manager, stage.client, list(replicas)) as calls:
        eventually(
            lambda: all(
                calls.rounds[name] and calls.rounds[name][-1].up == count
                for name, count in replicas.items()
            ),
            30,
            "all to answer",
        )
        for rounds in calls.rounds.values():
            rounds.clear()
        swarm.manager.docker("node", "update", "--availability=active", back.node_id)

        def even(name: str) -> bool:
            counts = [stage.spread(name)[node.node_id] for node in swarm.nodes]
            return sum(counts) == replicas[name] and max(counts) - min(counts) <= 1

        eventually(
            lambda: all(
                even(name) and stage.newest(name)["reason"] == "balanced"
                for name in ("six", "three")
            ),
            120,
            lambda: f"it to be even: {[stage.newest(name) for name in replicas]}",
        )
        fleet.wait_agents(swarm)
        seen = len(calls.rounds["six"])
        eventually(lambda: len(calls.rounds["six"]) > seen + 60, 60, "calm")
    for name in replicas:
        print(calls.told(name))
    moved = {name: before[name] - stage.ids(name) for name in replicas}
    assert {name: len(ids) for name, ids in moved.items()} == {"six": 2, "three": 1, "solo": 0}
    assert even("six")
    assert even("three")
    acted = {name: stage.acted(name) for name in replicas}
    assert {n: [one["action"] for one in acted[n]] for n in replicas} == {
        "six": ["move_task"] * 2,
        "three": ["move_task"],
        "solo": [],
    }
    assert "becomes m1 2, w1 2, w2 2" in acted["six"][0]["sentence"]
    assert stage.newest("six")["sentence"].endswith("m1 2, w1 2, w2 2")
    assert "a move would be an outage" in stage.newest("solo")["sentence"]
    assert calls.fewest("six") >= 5
    assert calls.fewest("three") >= 2
    assert calls.fewest("solo") == 1
