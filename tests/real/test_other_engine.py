"""The agent on the newest engine that Debian has, from a file tree of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.acting import applied, inspect, rules, wait_for_samples
from tests.real.agent import running_agent, wait_for
from tests.real.lab import WORK_IMAGE_2, Swarm

pytestmark = pytest.mark.other_engine

# Its file tree is its own: nothing of this machine can be mounted into its containers.
BUSY = ("sh", "-c", "trap 'exit 0' TERM; while :; do i=$((i+1)); done")
RULES = """
- name: web
  services: [web]
  scale:
    min: 1
    max: 4
    metrics: [{type: cpu, target: 50%}]
"""


def test_a_service_is_scaled_and_a_rollout_left_alone(engine_28: Swarm, tmp_path: Path) -> None:
    """On another API version too no task is replaced by a scale-up, and a rollout holds writes."""
    node = engine_28.manager
    engine_28.create_service("web", "--replicas=2", "--limit-cpu=0.1", command=BUSY)
    first = {task["ID"] for task in engine_28.wait_running("web", 2)}
    place = rules(tmp_path, RULES)
    with running_agent(tmp_path, node.url, place) as agent:
        wait_for_samples(agent, "web")
        wait_for(lambda: agent.reason("web") == "at_max", 60, lambda: agent.decisions("web")[:1])
        tasks = {task["ID"] for task in engine_28.wait_running("web", 4)}
        assert first <= tasks
        writes = len(applied(agent))
        assert writes >= 1
        node.docker(
            "service",
            "update",
            "--detach",
            "--no-resolve-image",
            "--update-delay=3s",
            f"--image={WORK_IMAGE_2}",
            "web",
        )
        wait_for(
            lambda: agent.metric(
                "swarm_rule_action_blocked_total",
                service_name="web",
                reason="rollout_in_progress",
            ),
            30,
            lambda: agent.decisions("web")[:1],
        )
        wait_for(
            lambda: inspect(node, "web").get("UpdateStatus", {}).get("State") == "completed",
            90,
            lambda: str(inspect(node, "web").get("UpdateStatus")),
        )
        # Seen as settled: the fingerprints of tasks and service agree on this engine as well.
        wait_for(lambda: agent.reason("web") == "at_max", 60, lambda: agent.decisions("web")[:1])
        assert len(applied(agent)) == writes
        assert agent.metric("swarm_docker_up") == 1
    engine_28.remove_services()
