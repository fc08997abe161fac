"""Three managers and a worker, an agent on each manager: who acts, and what is known of nodes."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.real.agent import AgentProcess, running_agent, wait_for
from tests.real.conftest import SwarmFactory
from tests.real.lab import Swarm, eventually
from tests.real.scrape import replicas_exported, replicas_listed, scrape

pytestmark = pytest.mark.thorough

RULES = """\
version: 1
rules:
  - name: web
    services: [web]
    scale: {min: 2, max: 5, metrics: [{type: memory, target: 1GiB}]}
"""
ALL = {"m1", "m2", "m3", "w1"}
SETTLED = {"web": (2, 2), "every": (4, 4), "pinned": (1, 1)}

Agents = dict[str, AgentProcess]


@pytest.fixture(scope="module")
def swarm(swarm_of: SwarmFactory) -> Swarm:
    """Three managers and a worker with a ruled service, a global one, and one bound to w1."""
    swarm = swarm_of(3, 1)
    swarm.create_service("web", "--replicas=2", "--restart-delay=1s")
    swarm.create_service("every", "--mode=global", "--restart-delay=1s")
    swarm.create_service("pinned", "--constraint=node.hostname==w1", "--restart-delay=1s")
    return swarm


@pytest.fixture(scope="module")
def agents(swarm: Swarm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agents]:
    """One agent per manager by the manager's name, all with the same rules."""
    rules = tmp_path_factory.mktemp("rules")
    (rules / "web.yml").write_text(RULES)
    with ExitStack() as stack:
        yield {
            node.name: stack.enter_context(
                running_agent(tmp_path_factory.mktemp(node.name), node.url, rules)
            )
            for node in swarm.managers
        }


@pytest.fixture(autouse=True)
def whole(swarm: Swarm, agents: Agents) -> None:
    """All nodes are up and all tasks run before each test, and every agent knows."""
    for node in swarm.nodes:
        if not node.running:
            node.start()
    swarm.wait_ready()
    eventually(lambda: replicas_listed(swarm.manager) == SETTLED, 90, lambda: str(SETTLED))
    for agent in agents.values():
        wait_known(agent, {"web": 2, "every": 4, "pinned": 1})
    wait_for(lambda: len(acting(agents)) == 1, 40, lambda: acting(agents))


def acting(agents: Agents) -> list[str]:
    """Names of the managers whose agents say that they act."""
    return [
        name for name, agent in agents.items() if scrape(agent).value("swarm_agent_leader") == 1
    ]


def known(agent: AgentProcess) -> tuple[dict[str, str], dict[str, int]]:
    """State of each node, running tasks of each service, as the agent's mirror has them."""
    status = agent.json("/api/v1/status")
    return (
        {node["name"]: node["state"] for node in status["nodes"]},
        {service["name"]: service["running"] for service in status["services"]},
    )


def wait_known(agent: AgentProcess, running: dict[str, int], **states: str) -> None:
    """Until the agent's mirror holds these running tasks and states; other nodes are ready."""
    expected = (dict.fromkeys(ALL, "ready") | states, running)
    wait_for(lambda: known(agent) == expected, 60, lambda: f"{expected}; it knows {known(agent)}")


def actions(agents: Agents) -> float:
    """Writes that all agents together carried out."""
    return sum(
        sum(scrape(agent).values("swarm_rule_actions_total", outcome="applied"))
        for agent in agents.values()
    )


def check_exactly_one_acts(swarm: Swarm, agents: Agents) -> str:
    """A service below its bound is brought back by one write of one agent, the leader's."""
    wait_for(lambda: len(acting(agents)) == 1, 40, lambda: acting(agents))
    (actor,) = acting(agents)
    leader = swarm.leader()
    assert actor == leader.name
    before = actions(agents)
    leader.docker("service", "scale", "--detach", "web=1")
    eventually(lambda: replicas_listed(leader)["web"] == (2, 2), 60, "web at 2 again")
    time.sleep(3)
    assert actions(agents) == before + 1
    for name, agent in agents.items():
        if name == actor:
            continue
        (said,) = agent.json("/api/v1/status")["agents"]
        assert not said["acting"]
        assert f"the agent on {actor}, which leads" in said["message"]
        assert scrape(agent).cluster == set()
    return actor


def test_one_agent_of_three_acts(swarm: Swarm, agents: Agents) -> None:
    """Of three agents with the same rules only that on the raft leader writes and exports."""
    actor = check_exactly_one_acts(swarm, agents)
    assert {agent.json("/api/v1/status")["actor"] for agent in agents.values()} == {actor}
    assert replicas_exported(scrape(agents[actor])) == replicas_listed(swarm.manager)


def test_a_standby_says_so_and_waits(swarm: Swarm, agents: Agents) -> None:
    """While the agent that acts hangs the others decide the same, write nothing, and say why."""
    (actor,) = acting(agents)
    node = swarm.leader()
    others = [agent for name, agent in agents.items() if name != actor]
    before = actions(agents)
    agents[actor].process.send_signal(signal.SIGSTOP)
    try:
        node.docker("service", "scale", "--detach", "web=1")
        for agent in others:
            wait_for(
                lambda agent=agent: agent.reason("web") == "not_actor",
                20,
                lambda agent=agent: agent.decisions("web")[:1],
            )
            newest = agent.decisions("web")[0]
            assert (newest["current"], newest["desired"]) == (1, 2)
            assert f"the agent on {actor}" in newest["sentence"]
        assert replicas_listed(node)["web"][1] == 1
    finally:
        agents[actor].process.send_signal(signal.SIGCONT)
    eventually(lambda: replicas_listed(node)["web"] == (2, 2), 60, "web at 2 again")
    time.sleep(3)
    assert actions(agents) == before + 1


def test_the_leader_dies(swarm: Swarm, agents: Agents) -> None:
    """The others keep what they know, one of them acts, and the lost one comes back in line."""
    old = swarm.leader()
    left = {name: agent for name, agent in agents.items() if name != old.name}
    seen: list[tuple[set[str], set[str], int]] = []

    def one_took_over() -> bool:
        for agent in left.values():
            nodes, services = known(agent)
            seen.append((set(nodes), set(services), len(acting(left))))
        return seen[-1][2] == 1 and acting(agents) != [old.name]

    old.kill()
    wait_for(one_took_over, 60, lambda: seen[-1:])
    for nodes, services, actors in seen:
        assert nodes == ALL, "an election is no reason to forget nodes"
        assert services == {"web", "every", "pinned"}
        assert actors <= 1
    assert scrape(agents[old.name]).value("swarm_agent_leader") == 0
    assert scrape(agents[old.name]).cluster == set()

    new = check_exactly_one_acts(swarm, left)
    assert new != old.name

    # Changed while its engine was dead: only a list can tell the agent.
    swarm.manager.docker("service", "update", "--detach", "--label-add=x=y", "pinned")
    old.start()
    wait_known(agents[old.name], {"web": 2, "every": 4, "pinned": 1})
    wait_for(lambda: acting(agents) == [swarm.leader().name], 40, lambda: acting(agents))


def homeless(agent: AgentProcess) -> float:
    """How many tasks bound to w1 found no node, as the agent counted them."""
    counted = scrape(agent).value(
        "swarm_task_failures_total", service_name="pinned", reason="no_suitable_node"
    )
    assert counted is not None
    return counted


def test_a_drained_node(swarm: Swarm, agents: Agents) -> None:
    """Drained, a node keeps its state, loses its tasks, and global services want one less."""
    leader = swarm.leader()
    actor = agents[leader.name]
    before = homeless(actor)
    leader.docker("node", "update", "--availability=drain", "w1")
    try:
        wait_known(actor, {"web": 2, "every": 3, "pinned": 0})
        wait_for(
            lambda: replicas_exported(scrape(actor)) == replicas_listed(leader),
            20,
            lambda: (replicas_exported(scrape(actor)), replicas_listed(leader)),
        )
        shown = scrape(actor)
        assert replicas_exported(shown)["every"] == (3, 3)
        assert shown.value("swarm_node_availability", node_name="w1", availability="drain") == 1
        assert shown.value("swarm_node_state", node_name="w1", state="ready") == 1
        assert shown.value("swarm_node_tasks", node_id=swarm.node("w1").node_id) == 0
        assert homeless(actor) == before + 1
    finally:
        leader.docker("node", "update", "--availability=active", "w1")


def test_a_killed_node(swarm: Swarm, agents: Agents) -> None:
    """Tasks on a node that is down do not count as running, whatever the Swarm still calls them."""
    leader = swarm.leader()
    actor, worker = agents[leader.name], swarm.node("w1")
    worker.kill()
    wait_known(actor, {"web": 2, "every": 3, "pinned": 0}, w1="down")
    shown = scrape(actor)
    assert shown.value("swarm_node_state", node_name="w1", state="down") == 1
    assert replicas_exported(shown)["pinned"] == (0, 1)
    assert replicas_exported(shown)["every"][0] == 3
    assert shown.value("swarm_node_tasks", node_id=worker.node_id) == 0
    called_running = [
        task
        for task in swarm.tasks("every")
        if task["NodeID"] == worker.node_id and task["Status"]["State"] == "running"
    ]
    assert called_running, "the Swarm itself still calls the lost task running"
