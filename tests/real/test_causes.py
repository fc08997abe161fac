"""Every cause of a task's end, brought about on real engines and named in the answer of `ps`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.acting import IDLE_COMMAND, rules
from tests.real.agent import AgentProcess, running_agent, wait_for
from tests.real.lab import Swarm

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(600)]

TOO_BIG = """
- name: too-big
  services: [leaking]
  restart:
    when: {memory_above: 40KiB, for: 2s}
    action: restart_service
    budget: {count: 1, within: 1h}
"""
ON_M1 = ("--constraint=node.hostname==m1", "--restart-delay=2s")
ON_W1 = ("--constraint=node.hostname==w1", "--restart-delay=1s")


@pytest.fixture(scope="module")
def swarm(swarm_of) -> Swarm:
    """A manager and a worker."""
    return swarm_of(1, 1)


@pytest.fixture
def agent(swarm: Swarm, tmp_path: Path) -> Iterator[AgentProcess]:
    """One agent beside the manager; no service is left after it."""
    with running_agent(tmp_path, swarm.manager.url) as made:
        yield made
    swarm.remove_services()


def ps(agent: AgentProcess, service: str) -> list[dict[str, Any]]:
    """What the API answers, the oldest first; none while the service is not known."""
    status, body = agent.get(f"/api/v1/ps?service={service}")
    return json.loads(body)[::-1] if status == 200 else []


def await_cause(agent: AgentProcess, service: str, cause: str) -> dict[str, Any]:
    """The first task with that cause."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        found[:] = [task for task in ps(agent, service) if task["cause"] == cause]
        return bool(found)

    wait_for(look, 60, lambda: f"{cause} of {service}: {ps(agent, service)}")
    assert found[0]["evidence"]
    return found[0]


def container(swarm: Swarm, service: str) -> str:
    [task] = swarm.wait_running(service, 1)
    found: str = task["Status"]["ContainerStatus"]["ContainerID"]
    return found


def test_what_a_container_comes_to_by_itself_or_by_hand(swarm: Swarm, agent: AgentProcess):
    """Exits, memory, health, and what people do to a container behind the Swarm's back."""
    node = swarm.manager
    for name in ("killed", "stopped", "removed"):
        swarm.create_service(name, *ON_M1, command=IDLE_COMMAND)
    for code in ("0", "3"):
        command = ("sh", "-c", f"sleep 1; exit {code}")
        swarm.create_service(f"exit-{code}", *ON_M1, "--restart-condition=none", command=command)
    greedy = ("sh", "-c", "sleep 1; tail /dev/zero")
    swarm.create_service("greedy", *ON_M1, "--limit-memory=24M", command=greedy)
    health = ("--health-cmd=false", "--health-interval=1s", "--health-retries=2")
    swarm.create_service("sick", *ON_M1, *health, command=IDLE_COMMAND)
    node.docker("kill", container(swarm, "killed"))
    node.docker("stop", "--time=1", container(swarm, "stopped"))
    node.docker("rm", "--force", container(swarm, "removed"))
    killed = await_cause(agent, "killed", "killed_by_hand")
    assert (killed["exit_code"], killed["node"], killed["state"]) == (137, "m1", "failed")
    assert killed["uptime"] > 0
    assert "SIGKILL" in killed["evidence"]
    assert "SIGTERM" in await_cause(agent, "stopped", "killed_by_hand")["evidence"]
    await_cause(agent, "removed", "removed_by_hand")
    assert await_cause(agent, "exit-0", "exit_zero")["exit_code"] == 0
    assert await_cause(agent, "exit-3", "exit_error")["exit_code"] == 3
    assert await_cause(agent, "greedy", "oom")["exit_code"] == 137
    await_cause(agent, "sick", "unhealthy")
    said = agent.command("ps", "killed", "--json")
    assert killed in json.loads(said.stdout)


def test_what_could_not_start(swarm: Swarm, agent: AgentProcess):
    """Nothing of it ever ran, and a different thing is missing each time."""
    node = swarm.manager
    once = (*ON_M1, "--restart-condition=none")
    swarm.create_service("no-image", *once, image="nosuch:1")
    swarm.create_service("no-command", *once, command=("/no/such/command",))
    swarm.create_service("no-mount", *once, "--mount=type=bind,src=/no/such/folder,dst=/x")
    swarm.create_service("no-user", *once, "--user=nosuch")
    port = "--publish=mode=host,published=8097,target=80"
    swarm.create_service("two-ports", *ON_M1, "--replicas=2", port, command=IDLE_COMMAND)
    swarm.create_service("no-node", "--constraint=node.labels.disk==ssd")
    swarm.create_service("no-memory", "--reserve-memory=900g")
    server = "import socket,time; s=socket.create_server(('', 8096)); time.sleep(300)"
    taken = node.popen(["python3", "-c", server])
    try:
        wait_for(lambda: _listens(swarm, 8096), 20, lambda: "port 8096 to be taken")
        port = "--publish=mode=host,published=8096,target=80"
        swarm.create_service("port-taken", *once, port, command=IDLE_COMMAND)
        await_cause(agent, "port-taken", "port_conflict")
    finally:
        taken.kill()
        taken.wait(10)
    expected = {
        "no-image": "image_missing",
        "no-command": "command_missing",
        "no-mount": "mount_missing",
        "no-user": "start_failed",
        "two-ports": "port_conflict",
        "no-node": "no_suitable_node",
        "no-memory": "no_suitable_node",
    }
    for service, cause in expected.items():
        await_cause(agent, service, cause)
    assert "insufficient resources" in ps(agent, "no-memory")[0]["evidence"]


def _listens(swarm: Swarm, port: int) -> bool:
    try:
        swarm.manager.connect(port).close()
    except OSError:
        return False
    return True


def test_what_the_swarm_replaces_or_removes(swarm: Swarm, agent: AgentProcess):
    """Scaling, updates, rollbacks and drains end tasks that did nothing wrong."""
    node = swarm.manager
    for name in ("updated", "forced", "rolled"):
        swarm.create_service(name, *ON_M1, "--update-monitor=1s", command=IDLE_COMMAND)
    swarm.create_service("less", *ON_M1, "--replicas=2", command=IDLE_COMMAND)
    swarm.create_service("drained", *ON_W1, command=IDLE_COMMAND)
    for name in ("updated", "forced", "rolled", "drained"):
        swarm.wait_running(name, 1)
    swarm.wait_running("less", 2)
    wait_for(lambda: len(ps(agent, "less")) == 2, 30, lambda: f"two tasks: {ps(agent, 'less')}")
    node.docker("service", "scale", "--detach", "less=1")
    node.docker("service", "update", "--detach", "--env-add=A=1", "updated")
    node.docker("service", "update", "--detach", "--env-add=A=1", "rolled")
    node.docker("service", "update", "--detach", "--force", "forced")
    node.docker("node", "update", "--availability=drain", "w1")
    try:
        # The Swarm has forgotten this one at once.
        assert "from 2 to 1" in await_cause(agent, "less", "scaled_down")["evidence"]
        wait_for(lambda: len(swarm.tasks("less")) == 1, 30, lambda: "the Swarm to forget the task")
        assert await_cause(agent, "less", "scaled_down")["slot"]
        await_cause(agent, "updated", "update")
        assert "forced" in await_cause(agent, "forced", "update")["evidence"]
        await_cause(agent, "rolled", "update")
        node.docker("service", "rollback", "--detach", "rolled")
        await_cause(agent, "rolled", "rollback")
        assert "w1" in await_cause(agent, "drained", "drain")["evidence"]
        await_cause(agent, "drained", "no_suitable_node")
    finally:
        node.docker("node", "update", "--availability=active", "w1")


def test_a_restart_by_a_rule_is_a_rules(swarm: Swarm, tmp_path: Path):
    """Not a person's update, though the Swarm's objects look the same."""
    with running_agent(tmp_path, swarm.manager.url, rules(tmp_path, TOO_BIG)) as agent:
        swarm.create_service("leaking", *ON_M1, "--update-monitor=1s", command=IDLE_COMMAND)
        swarm.wait_running("leaking", 1)
        assert "too-big" in await_cause(agent, "leaking", "restart_rule")["evidence"]
    swarm.remove_services()


def test_a_node_that_dies_and_an_engine_that_stops(swarm: Swarm, agent: AgentProcess):
    """Neither is a crash of what ran there."""
    swarm.create_service("lost", *ON_W1, command=IDLE_COMMAND)
    swarm.create_service("stopped", *ON_M1, command=IDLE_COMMAND)
    for name in ("lost", "stopped"):
        swarm.wait_running(name, 1)
        wait_for(lambda name=name: len(ps(agent, name)) == 1, 30, lambda: "the task to be known")
    worker = swarm.node("w1")
    worker.kill()
    assert "w1" in await_cause(agent, "lost", "node_down")["evidence"]
    worker.start()
    swarm.wait_ready()
    swarm.wait_running("lost", 1)
    assert await_cause(agent, "lost", "node_down")["state"] in ("running", "failed", "shutdown")
    swarm.manager.restart()
    swarm.wait_ready()
    await_cause(agent, "stopped", "engine_stopped")
