"""The agents' stack with two services at work on all kinds of nodes: what tests of it share."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.real import fleet
from tests.real.acting import LOAD_COMMAND, Load
from tests.real.lab import Node, Swarm, eventually
from tests.real.lab.image import product_image

Json = dict[str, Any]

RULES = """\
version: 1
rules:
  - name: even
    services: [even]
    scale:
      min: 3
      max: 6
      metrics: [{type: cpu, target: 25%, of: limit}]
      scale_down: {stabilization_window: 5s, cooldown: 0s}
      max_direction_changes: 100
  - name: uneven
    services: [uneven]
    scale:
      min: 1
      max: 3
      metrics: [{type: cpu, target: 15%, of: limit}]
      scale_down: {stabilization_window: 5s, cooldown: 0s}
      max_direction_changes: 100
"""
SECRET = secrets.token_hex(16)


@dataclass(frozen=True)
class Fleet:
    """One of each kind of node but the lease holder's; their tasks burn CPU as told.

    even: a switch for all tasks of the service `even`. `uneven` has one task on each of
    `standby`, `worker` and `other_worker`, and only the one on `worker` works unless told
    otherwise. With a third of 100% on average it keeps its three replicas at a target of 15%, on
    a starved machine too; had its task used nothing, or did it not count, one would be left after
    a few seconds.
    """

    swarm: Swarm
    standby: Node
    worker: Node
    other_worker: Node
    even: Load
    uneven: Load
    rules: Path

    @property
    def holder(self) -> Node:
        """Whose agent acts."""
        (holder,) = fleet.actors(self.swarm)
        return holder

    @property
    def workplaces(self) -> set[str]:
        return {node.node_id for node in (self.standby, self.worker, self.other_worker)}

    def decisions(self, service: str, node: Node | None = None, *, limit: int = 1) -> list[Json]:
        """Newest first, as the API of the node's agent tells them; any asks the acting one."""
        path = f"/api/v1/decisions?service={service}&limit={limit}"
        found: list[Json] = fleet.agent_json(node or self.other_worker, path)
        return found

    def task_on(self, service: str, node: Node) -> str:
        """The id of the service's one running task there."""
        tasks = [t["ID"] for t in self.swarm.running(service) if t["NodeID"] == node.node_id]
        assert len(tasks) == 1
        return str(tasks[0])

    def load(self, *nodes: Node) -> None:
        """Which tasks of `uneven` work from now on."""
        for node in (self.standby, self.worker, self.other_worker):
            file = self.uneven.folder / node.name
            if node in nodes:
                file.touch()
            else:
                file.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The stack on three managers and two workers, and services at work beside the holder."""
    folder = tmp_path_factory.mktemp("fleet")
    rules = folder / "own.yml"
    rules.write_text(RULES)
    archive = product_image()
    with Swarm.start(3, 2, in_memory=True) as swarm:
        fleet.deploy_stack(swarm, archive, rules=rules, secret=SECRET)
        eventually(lambda: len(fleet.actors(swarm)) == 1, 30, "one agent to act")
        standby = next(node for node in swarm.managers if node not in fleet.actors(swarm))
        (folder / "a").mkdir()
        (folder / "b").mkdir()
        loads = Load(folder / "a"), Load(folder / "b")
        found = Fleet(swarm, standby, *swarm.workers, *loads, rules)
        found.load(found.worker)
        create_services(found)
        yield found
        for node in swarm.nodes:
            print(f"--- agent on {node.name}\n{fleet.agent_log(node)[-4000:]}")


@pytest.fixture(autouse=True)
def in_order(work: Fleet) -> None:
    """However the test before left it: one agent acts, on the manager without work."""

    def acting() -> bool:
        return len(fleet.actors(work.swarm)) == 1

    eventually(acting, 30, "one agent to act")
    if work.holder is work.standby:
        fleet.stop_agent(work.standby)
        eventually(lambda: acting() and work.holder is not work.standby, 30, "another to act")
        fleet.wait_agents(work.swarm)
    work.even.off()
    if len(work.swarm.running("uneven")) < 3:
        work.load(work.standby, work.worker, work.other_worker)
        work.swarm.wait_running("uneven", 3)
    work.load(work.worker)
    wait_measured(work, "even")
    wait_level(work, work.worker)


def create_services(work: Fleet) -> None:
    swarm = work.swarm
    for node_id in work.workplaces:
        swarm.manager.docker("node", "update", "--label-add", "work=yes", node_id)
    common = ["--replicas=3", "--limit-cpu=0.1", "--constraint=node.labels.work==yes"]
    swarm.create_service("even", *common, work.even.mount, command=LOAD_COMMAND)
    swarm.create_service(
        *["uneven", *common, "--replicas-max-per-node=1", work.uneven.mount],
        "--env=NODE={{.Node.Hostname}}",
        command=[word.replace("/load/on", "/load/$NODE") for word in LOAD_COMMAND],
    )
    swarm.wait_running("even", 3)
    swarm.wait_running("uneven", 3)
    for service in ("even", "uneven"):
        wait_measured(work, service)


def wait_measured(work: Fleet, service: str, timeout: float = 60) -> None:
    """Until every task of the service is judged by a sample, and the load is what it should be."""

    def measured() -> bool:
        inputs = work.decisions(service)[0]["inputs"]
        return len(inputs) == 3 and all(seen["used"] for seen in inputs)

    eventually(measured, timeout, lambda: f"samples of {service}: {work.decisions(service)}")


def wait_level(work: Fleet, node: Node) -> None:
    """Until of the tasks of `uneven` only the one on `node` is seen to work.

    Which one counts: just after the load moved, the one before is still the only one seen.
    """

    def level() -> bool:
        inputs = work.decisions("uneven")[0]["inputs"]
        values = {seen["task_id"]: seen["value"] for seen in inputs if seen["used"]}
        working = [task for task, value in values.items() if value > 0.01]
        return len(values) == 3 and working == [work.task_on("uneven", node)]

    eventually(level, 60, lambda: f"only {node.name} to work: {work.decisions('uneven')}")


def used(decision: Json) -> dict[str, bool]:
    """Task id to whether its sample counted."""
    return {seen["task_id"]: seen["used"] for seen in decision["inputs"]}
