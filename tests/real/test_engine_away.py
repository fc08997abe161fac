"""The agent while its engine is killed, stopped or frozen, and after it came back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.real.agent import AgentProcess, running_agent, wait_for
from tests.real.lab import Swarm, eventually
from tests.real.scrape import Scrape, replicas_exported, replicas_listed, scrape

AT_LEAST_TWO = """\
version: 1
rules:
  - name: web
    services: [web]
    scale: {min: 2, max: 5, metrics: [{type: memory, target: 1GiB}]}
"""
AWAY = 10.0
"""Seconds for which lines are counted: longer than two rounds of whatever asks the engine."""

MAX_LINES = 6
"""A loss is told once by each part that has something of its own to say of it."""


@pytest.fixture(scope="module")
def swarm(one_node: Swarm) -> Swarm:
    """One manager with a service that a rule holds at two replicas, and a global one."""
    one_node.create_service("web", "--replicas=2", "--restart-delay=1s")
    one_node.create_service("everywhere", "--mode=global", "--restart-delay=1s")
    one_node.wait_running("web", 2)
    one_node.wait_running("everywhere", 1)
    return one_node


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (tmp_path / "web.yml").write_text(AT_LEAST_TWO)
    return tmp_path


@pytest.fixture
def agent(swarm: Swarm, rules: Path, tmp_path: Path) -> Iterator[AgentProcess]:
    """An agent that shows the whole Swarm and what its tasks use."""
    if not swarm.manager.running:
        swarm.manager.start()
    swarm.wait_ready()
    swarm.wait_running("web", 2)
    with running_agent(tmp_path, swarm.manager.url, rules) as agent:
        wait_until_right(agent, swarm)
        yield agent


def wait_until_right(agent: AgentProcess, swarm: Swarm) -> None:
    """Until the agent is ready, hears events, and says what the docker client says."""
    wait_for(lambda: agent.get("/readyz") == (200, "ready\n"), 60, lambda: agent.get("/readyz"))

    def right() -> bool:
        shown = scrape(agent)
        return (
            shown.value("swarm_docker_up") == 1
            and shown.value("swarm_agent_event_stream_connected") == 1
            and replicas_exported(shown)
            == replicas_listed(swarm.manager)
            == {"web": (2, 2), "everywhere": (1, 1)}
            and len(shown.values("swarm_task_cpu_usage_seconds_total")) == 3
        )

    wait_for(right, 60, lambda: (replicas_exported(scrape(agent)), replicas_listed(swarm.manager)))


def wait_until_lost(agent: AgentProcess) -> None:
    """Until the agent says that its engine is away; meanwhile nothing old is called current."""
    shown: list[Scrape] = []

    def lost() -> bool:
        shown.append(scrape(agent))
        return shown[-1].value("swarm_docker_up") == 0

    wait_for(lost, 20, lambda: f"the loss of the engine to be noticed: {agent.get('/readyz')}")
    assert max(scrape.seconds for scrape in shown) < 1.0


def check_away(agent: AgentProcess) -> None:
    """What must hold at any moment from when the loss is known until the engine is back."""
    shown = scrape(agent)
    assert shown.seconds < 1.0
    assert shown.cluster == set()
    assert shown.value("swarm_agent_event_stream_connected") == 0
    assert shown.value("swarm_docker_up") == 0
    assert shown.value("swarm_rule_decision", service_name="web") is None
    assert shown.value("swarm_agent_up") == 1
    assert agent.get("/healthz") == (200, "ok\n")
    status, why = agent.get("/readyz")
    assert status == 503
    assert why.endswith("\n"), why
    assert len(why.splitlines()) == 1, why
    assert len(why) > 20, why


def stay_away(agent: AgentProcess, seconds: float = AWAY) -> int:
    """Holds the agent to `check_away` for that long; how many lines it logged."""
    before = len(agent.lines())
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        check_away(agent)
        time.sleep(0.25)
    return len(agent.lines()) - before


def check_it_acts(agent: AgentProcess, swarm: Swarm) -> None:
    """A service below its bound is brought back, so events, lists and writes all work."""
    swarm.manager.docker("service", "scale", "--detach", "web=1")
    # A write that crosses an update's end is decided anew; the Swarm's own pace is seconds.
    eventually(lambda: replicas_listed(swarm.manager)["web"] == (2, 2), 60, "web at 2 again")
    wait_until_right(agent, swarm)


def go_away(
    agent: AgentProcess,
    swarm: Swarm,
    leave: Callable[[], None],
    come_back: Callable[[], None],
    seconds: float = AWAY,
) -> None:
    """The whole course of one loss."""
    before = len(agent.lines())
    relists = scrape(agent).value("swarm_agent_resync_total") or 0
    leave()
    wait_until_lost(agent)
    stay_away(agent, seconds)
    assert scrape(agent).value("swarm_agent_leader") == 0, "it cannot act"
    said = agent.messages()[before:]
    assert len(said) <= MAX_LINES, said
    come_back()
    wait_until_right(agent, swarm)
    assert (scrape(agent).value("swarm_agent_resync_total") or 0) > relists
    check_it_acts(agent, swarm)
    assert agent.process.poll() is None
    assert not [line for line in agent.lines() if "exception" in line]


def test_killed_and_started_again(agent: AgentProcess, swarm: Swarm) -> None:
    """An engine that crashes with all its containers leaves no old value, and is followed again."""
    node = swarm.manager

    def come_back() -> None:
        assert not scrape(agent).usage, "none of its containers is left"
        node.start()

    go_away(agent, swarm, node.kill, come_back)


def test_stopped_and_started_again(agent: AgentProcess, swarm: Swarm) -> None:
    """An engine that is stopped in good order and started again is followed again."""
    node = swarm.manager
    go_away(agent, swarm, node.stop, node.start, seconds=4.0)


def test_frozen_and_thawed(agent: AgentProcess, swarm: Swarm, rules: Path, tmp_path: Path) -> None:
    """An engine that hangs is known as away, what the kernel tells of its tasks stays current."""
    node = swarm.manager
    with ExitStack() as stack:
        # One agent that must ask the engine for everything: its samples grow old meanwhile.
        blind = stack.enter_context(
            running_agent(tmp_path, node.url, rules, "--dry-run", f"--cgroup-root={tmp_path}")
        )
        wait_until_right(blind, swarm)
        stack.callback(lambda: node.frozen and node.thaw())
        node.freeze()
        frozen_at = time.monotonic()
        wait_until_lost(agent)
        stay_away(agent)
        assert scrape(agent).usage, "cgroup files can be read while the engine hangs"
        wait_until_lost(blind)
        # The last answer may have come right before: 15 s on, no sample of it may be left.
        time.sleep(max(0.0, frozen_at + 16 - time.monotonic()))
        check_away(blind)
        for each in (agent, blind):
            assert scrape(each).value("swarm_agent_leader") == 0, "it cannot act"
        assert scrape(blind).usage == set()
        node.thaw()
        wait_until_right(agent, swarm)
        wait_until_right(blind, swarm)
    check_it_acts(agent, swarm)
    lost = [line for line in agent.lines() if line.get("level") == "warning"]
    assert len(lost) <= MAX_LINES, lost
