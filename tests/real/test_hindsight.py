"""What an agent tells of ends that it did not hear, on a real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.real.acting import IDLE_COMMAND
from tests.real.agent import AgentProcess, running_agent, wait_for
from tests.real.lab import Swarm

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ONCE = ("--restart-condition=none",)


def first(agent: AgentProcess, service: str) -> dict[str, Any]:
    """The oldest task of the service; {} while it is not known."""
    status, body = agent.get(f"/api/v1/ps?service={service}")
    tasks = json.loads(body) if status == 200 else []
    return tasks[-1] if tasks else {}


def test_causes_after_a_restart_of_the_agent(one_node: Swarm, tmp_path: Path) -> None:
    """Read from exited containers and the task history; what those do not tell is unknown."""
    greedy = ("sh", "-c", "sleep 0.5; tail /dev/zero")
    one_node.create_service("greedy", *ONCE, "--limit-memory=24M", command=greedy)
    one_node.create_service("failing", *ONCE, command=("sh", "-c", "sleep 0.5; exit 3"))
    health = ("--health-cmd=false", "--health-interval=500ms", "--health-retries=1")
    one_node.create_service("sick", *ONCE, *health, command=IDLE_COMMAND)
    one_node.create_service("no-command", *ONCE, command=("/no/such/command",))
    for name in ("killed", "removed"):
        one_node.create_service(name, *ONCE, command=IDLE_COMMAND)
    for name, how in (("killed", ("kill",)), ("removed", ("rm", "--force"))):
        [task] = one_node.wait_running(name, 1)
        one_node.manager.docker(*how, task["Status"]["ContainerStatus"]["ContainerID"])
    expected = {
        "greedy": ("oom", 137),
        "failing": ("exit_error", 3),
        "no-command": ("command_missing", None),
        "sick": ("unhealthy", None),
        "killed": ("unknown", 137),
        "removed": ("unknown", 137),
    }

    def over(name: str) -> bool:
        return {one["Status"]["State"] for one in one_node.tasks(name)} <= {"failed", "complete"}

    wait_for(lambda: all(map(over, expected)), 60, lambda: "all of them to end")
    with running_agent(tmp_path, one_node.manager.url) as agent:
        for name, (cause, code) in expected.items():

            def told(name: str = name, cause: str = cause) -> bool:
                return first(agent, name).get("cause") == cause

            wait_for(told, 20, lambda name=name: f"why {name} ended: {first(agent, name)}")
            if code is not None:
                assert first(agent, name)["exit_code"] == code
        assert first(agent, "greedy")["uptime"] > 0
        assert "no event told" in first(agent, "killed")["evidence"]
    one_node.remove_services()
