"""SIGTERM: the agent ends within 10 s with code 0 and leaves no write half made or untold."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.acting import IDLE_COMMAND, inspect, replicas, rules
from tests.real.agent import AgentProcess, running_agent, wait_for
from tests.real.lab import Swarm
from tests.real.proxy import EngineProxy, Request

RULES = """
- name: floor
  services: [web]
  scale:
    min: 2
    max: 4
    metrics: [{type: cpu, cores: 1}]
"""


@pytest.fixture(autouse=True)
def awake_and_empty(one_node: Swarm) -> Iterator[None]:
    """Every test begins and ends with an engine that answers, and without tasks."""
    yield
    if one_node.managers[0].frozen:
        one_node.managers[0].thaw()
    one_node.remove_services()


def stop_in_time(agent: AgentProcess) -> float:
    """SIGTERM; seconds until the process ended, which it must do in good order."""
    began = time.monotonic()
    code = agent.stop(30)
    took = time.monotonic() - began
    assert code == 0, agent.messages()
    assert took < 10
    assert agent.messages()[-1] == "swarm-monitor stopped"
    assert not any(line.get("level") == "error" for line in agent.lines())
    return took


def outcomes(agent: AgentProcess) -> list[Any]:
    return [line["outcome"] for line in agent.lines() if "outcome" in line]


def test_idle(one_node: Swarm, tmp_path: Path) -> None:
    """An agent with nothing to do ends, also while somebody is half through asking it."""
    one_node.create_service("web", "--replicas=2", command=IDLE_COMMAND)
    one_node.wait_running("web", 2)
    with running_agent(tmp_path, one_node.manager.url, rules(tmp_path, RULES)) as agent:
        wait_for(lambda: agent.reason("web"), 30, lambda: "a decision")
        with socket.create_connection(("127.0.0.1", agent.port)) as asking:
            asking.sendall(b"GET /metrics HTTP/1.1\r\n")
            print(f"idle: {stop_in_time(agent):.2f} s")
    assert outcomes(agent) == []


def test_a_write_under_way_is_finished(one_node: Swarm, tmp_path: Path) -> None:
    """A write that takes another 3 s is waited for; its outcome is told, and no other begins."""
    one_node.create_service("web", "--replicas=1", command=IDLE_COMMAND)
    one_node.wait_running("web", 1)
    held = threading.Event()

    def hold(request: Request) -> None:
        if request.method == "POST":
            held.set()
            time.sleep(3)

    with EngineProxy(one_node.manager.socket, tmp_path) as proxy:
        proxy.before = hold
        with running_agent(tmp_path, proxy.url, rules(tmp_path, RULES)) as agent:
            assert held.wait(30)
            print(f"with a write of 3 s: {stop_in_time(agent):.2f} s")
        (write,) = proxy.writes
    assert write.status == 200
    assert outcomes(agent) == ["applied"]
    assert replicas(inspect(one_node.manager, "web")) == 2


def test_the_engine_is_frozen(one_node: Swarm, tmp_path: Path) -> None:
    """An engine that answers nothing holds nobody up."""
    with running_agent(tmp_path, one_node.manager.url, rules(tmp_path, RULES)) as agent:
        one_node.manager.freeze()
        wait_for(lambda: agent.get("/readyz")[0] == 503, 30, lambda: "the silence to be seen")
        print(f"engine frozen: {stop_in_time(agent):.2f} s")


def test_the_engine_freezes_during_a_write(one_node: Swarm, tmp_path: Path) -> None:
    """A write that gets no answer is given up before 10 s are over, and told as unknown."""
    one_node.create_service("web", "--replicas=1", command=IDLE_COMMAND)
    one_node.wait_running("web", 1)
    frozen = threading.Event()
    manager = one_node.manager

    def freeze(request: Request) -> None:
        if request.method == "POST":
            manager.freeze()
            frozen.set()

    with EngineProxy(manager.socket, tmp_path) as proxy:
        proxy.before = freeze
        with running_agent(tmp_path, proxy.url, rules(tmp_path, RULES)) as agent:
            assert frozen.wait(30)
            print(f"engine frozen during a write: {stop_in_time(agent):.2f} s")
        assert len(proxy.writes) == 1
    assert outcomes(agent) == ["unknown"]
