"""A node where tasks fail that run elsewhere is drained, and taken back by the next agent."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.real.acting import rules
from tests.real.agent import AgentProcess, running_agent, wait_for
from tests.real.conftest import SwarmFactory
from tests.real.lab import Node, Swarm

pytestmark = pytest.mark.thorough

FOR_SECONDS = 60
RULES = f"""
- name: sick
  nodes: {{role: worker}}
  node:
    when: {{tasks_failing_here: {{count: 2, within: 10m}}}}
    action: drain
    drain_for: {FOR_SECONDS}s
"""
# Fails on the worker alone.
FAILS_THERE = (
    "sh",
    "-c",
    (
        "trap 'exit 0' TERM; n=0; while :; do sleep 0.5; n=$((n+1)); "
        "if [ $NODE = w1 ] && [ $n -gt 3 ]; then exit 3; fi; done"
    ),
)


def _spec(swarm: Swarm, node: Node) -> dict[str, Any]:
    found: dict[str, Any] = swarm.manager.api("GET", f"/nodes/{node.node_id}")["Spec"]
    return found


def _said(agent: AgentProcess) -> list[tuple[str, str]]:
    """(reason, outcome) of the decisions on w1, newest first."""
    return [(one["reason"], one["outcome"] or "") for one in agent.decisions("w1")]


def test_a_node_where_tasks_fail_is_drained_and_taken_back(
    swarm_of: SwarmFactory, tmp_path: Path
) -> None:
    """Nothing of its spec but the availability differs; the agent that drained it is killed, and
    the next one takes it back when the time is over, which goes on meanwhile."""
    swarm = swarm_of(1, 1)
    manager, worker = swarm.manager, swarm.node("w1")
    found = manager.api("GET", f"/nodes/{worker.node_id}")
    labelled = {**found["Spec"], "Labels": {"disk": "ssd"}}
    version = found["Version"]["Index"]
    manager.api("POST", f"/nodes/{worker.node_id}/update?version={version}", labelled)
    folder = rules(tmp_path, RULES)
    for one in ("one", "two"):
        (tmp_path / one).mkdir()
    options = ("--mode=global", "--restart-delay=1s", "--env=NODE={{.Node.Hostname}}")
    with running_agent(tmp_path / "one", manager.url, folder) as agent:
        swarm.create_service("web", *options, command=FAILS_THERE)
        wait_for(
            lambda: _spec(swarm, worker)["Availability"] == "drain",
            60,
            lambda: f"a drained w1: {agent.decisions('w1')[:2]}",
        )
        began = time.monotonic()
        assert _spec(swarm, worker) == {**labelled, "Availability": "drain"}
        wait_for(
            lambda: {task["NodeID"] for task in swarm.running("web")} == {manager.node_id},
            30,
            lambda: f"web on m1 alone: {swarm.running('web')}",
        )
        wait_for(lambda: ("drained", "") in _said(agent), 30, lambda: _said(agent))
        agent.kill()
    with running_agent(tmp_path / "two", manager.url, folder) as agent:
        wait_for(lambda: ("drained", "") in _said(agent), 40, lambda: _said(agent))
        status = agent.json("/api/v1/status")
        (shown,) = [node for node in status["nodes"] if node["name"] == "w1"]
        assert shown["drained_by"] == "sick"
        assert shown["drained_until"]
        wait_for(
            lambda: _spec(swarm, worker)["Availability"] == "active",
            2 * FOR_SECONDS,
            lambda: f"an active w1: {agent.decisions('w1')[:2]}",
        )
        assert time.monotonic() - began >= FOR_SECONDS - 10
        assert _spec(swarm, worker) == labelled
        wait_for(lambda: ("drain_over", "applied") in _said(agent), 20, lambda: _said(agent))
