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
    wait_for(
        lambda: all(_ended(one_node, name) for name in expected), 60, lambda: "all of them to end"
    )
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


def test_the_last_log_lines_of_ended_tasks(one_node: Swarm, tmp_path: Path) -> None:
    """Of services with the label alone, to whoever shows the token; read at the end, so that what
    is removed right after it is still shown; of both streams, with and without a terminal."""
    asks = "--label=swarm-monitor.logs=3"
    says = "for n in 1 2 3 4; do echo line $n; done; echo to stderr >&2; exit 3"
    one_node.create_service(
        "loud", *ONCE, "--label=swarm-monitor.logs=5", command=("sh", "-c", says)
    )
    one_node.create_service("terminal", *ONCE, asks, "--tty", command=("sh", "-c", says))
    one_node.create_service("quiet", *ONCE, command=("sh", "-c", "echo a password; exit 3"))
    early = ("sh", "-c", "echo early; exit 1")
    one_node.create_service("early", *ONCE, asks, command=early)
    # What is removed before any agent was there to read it.
    wait_for(lambda: _ended(one_node, "early"), 30, lambda: "early to end")
    [task] = one_node.tasks("early")
    one_node.manager.docker("rm", task["Status"]["ContainerStatus"]["ContainerID"])
    for name in ("loud", "terminal", "quiet"):
        wait_for(lambda name=name: _ended(one_node, name), 30, lambda: "it to end")
    token = tmp_path / "token"
    token.write_text("a-token-of-this-test\n")
    shown = ("--token-file", str(token))
    with running_agent(tmp_path, one_node.manager.url, None, *shown) as agent:
        found: dict[str, Any] = {}

        def log_of(name: str) -> Any:
            said = agent.command("ps", name, "--logs", "--json", *shown)
            assert said.returncode == 0, said
            found[name] = json.loads(said.stdout)[0]["log"]
            return found[name]

        for name in ("loud", "terminal"):
            wait_for(lambda name=name: log_of(name)["lines"], 20, lambda: f"lines: {found}")
            assert found[name]["why"] is None
        # The order between the two streams is that of their arrival at the engine.
        expected = {"line 1", "line 2", "line 3", "line 4", "to stderr"}
        assert set(found["loud"]["lines"]) == expected
        assert found["terminal"]["lines"] == ["line 3", "line 4", "to stderr"]
        assert log_of("quiet")["lines"] == []
        assert "swarm-monitor.logs=20" in found["quiet"]["why"]
        assert log_of("early") == {
            "lines": [],
            "why": "its container was removed, and its log with it",
        }
        assert "line 4" in agent.command("ps", "loud", "--logs", *shown).stdout
        refused = agent.command("ps", "loud", "--logs")
        assert (refused.returncode, "token" in refused.stderr) == (1, True)
        one_node.create_service("later", *ONCE, asks, command=IDLE_COMMAND)
        [task] = one_node.wait_running("later", 1)
        container = task["Status"]["ContainerStatus"]["ContainerID"]
        one_node.manager.docker("exec", container, "sh", "-c", "echo last words >/proc/1/fd/1")
        one_node.manager.docker("kill", container)
        wait_for(lambda: log_of("later") and found["later"]["lines"], 20, lambda: f"{found}")
        one_node.manager.docker("rm", container)
        assert log_of("later")["lines"] == ["last words"]
        assert "password" not in agent.get("/metrics")[1] + str(agent.lines())
        assert "last words" not in agent.get("/metrics")[1] + str(agent.lines())
    one_node.remove_services()


def test_a_child_killed_for_memory_takes_its_task_along(one_node: Swarm, tmp_path: Path) -> None:
    """The main process is not killed but ends with a code of its own."""
    greedy = ("sh", "-c", "sleep 2; tail /dev/zero; sleep 8; exit 7")
    with running_agent(
        tmp_path, one_node.manager.url, None, "--proc-root", str(one_node.manager.proc)
    ) as agent:
        one_node.create_service("parent", *ONCE, "--limit-memory=24M", command=greedy)
        one_node.wait_running("parent", 1)
        wait_for(
            lambda: first(agent, "parent").get("cause") == "oom",
            40,
            lambda: f"its cause: {first(agent, 'parent')}",
        )
        found = first(agent, "parent")
        assert found["exit_code"] == 7
        assert "exited with 7" in found["evidence"]
    one_node.remove_services()


def _ended(swarm: Swarm, name: str) -> bool:
    states = {one["Status"]["State"] for one in swarm.tasks(name)}
    return bool(states) and states <= {"failed", "complete"}
