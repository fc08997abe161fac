"""A person at the command line beside an agent at work: pause, resume, explain, token."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.real.acting import LOAD_COMMAND, Load, inspect, recording, rules, wait_for_samples
from tests.real.agent import running_agent, wait_for
from tests.real.lab import Swarm

RULES = """
- name: web-load
  services: [web]
  scale:
    min: 1
    max: 3
    metrics: [{type: cpu, target: 50%}]
"""
QUIET = 6.0
"""Seconds of load within which an agent that may write does so: samples are judged every second."""


def test_a_person_pauses_resumes_and_asks(one_node: Swarm, tmp_path: Path) -> None:
    """Paused by command, a loaded service is not written to, and every refusal and explanation
    leaves it alone too; resumed, it is scaled."""
    load = Load(tmp_path)
    one_node.create_service(
        *["web", "--replicas=1", "--limit-cpu=0.1", load.mount], command=LOAD_COMMAND
    )
    one_node.wait_running("web", 1)
    token, wrong = tmp_path / "token", tmp_path / "wrong"
    token.write_text("a-token-of-this-test\n")
    wrong.write_text("another-token\n")
    shown, guessed = ("--token-file", str(token)), ("--token-file", str(wrong))
    place = rules(tmp_path, RULES)
    before = inspect(one_node.manager, "web")
    with (
        running_agent(tmp_path, one_node.manager.url, place, *shown) as agent,
        recording(one_node.manager, "web") as record,
    ):
        wait_for_samples(agent, "web")
        for options in ((), guessed):
            refused = agent.command("pause", "web", *options)
            assert refused.returncode == 1, refused.stdout
            assert agent.json("/api/v1/pauses") == []
        assert agent.metric("swarm_agent_api_refusals_total", reason="token_wrong") == 1
        assert agent.metric("swarm_agent_api_refusals_total", reason="token_missing") == 1
        paused = agent.command("pause", "web", "--for", "10m", "--note", "load test", *shown)
        assert paused.returncode == 0, paused.stderr
        assert paused.stdout.startswith("service web is paused by ")
        assert agent.metric("swarm_rule_paused", scope="service") == 1
        load.on()
        wait_for(lambda: agent.reason("web") == "paused", 30, lambda: agent.decisions("web")[:1])
        assert agent.metric("swarm_rule_condition", type="ScalingActive", status="true") == 1
        explained = agent.command("explain", str(place), "web", "--json")
        assert explained.returncode == 0, explained.stderr
        assert json.loads(explained.stdout)["action"] == "scale_up"
        assert "service web is paused by" in agent.command("status").stdout
        time.sleep(QUIET)
        assert agent.reason("web") == "paused"
        assert [service["Version"] for _, service in record.seen] == [before["Version"]]
        resumed = agent.command("resume", "web", *shown)
        assert resumed.stdout == "service web is not paused any more.\n", resumed.stderr
        wait_for(lambda: record.replicas[-1] > 1, 15, lambda: agent.decisions("web")[:1])
        assert agent.metric("swarm_rule_paused", scope="service") is None
        assert "a-token-of-this-test" not in agent.log.read_text()
    load.off()
