"""Rollouts under load: nothing is written while one is on its way, and all is well afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.real.acting import (
    LOAD_COMMAND,
    ROLLING,
    Load,
    Record,
    all_on_spec,
    inspect,
    recording,
    replicas,
    rules,
    update,
    update_state,
    wait_for_samples,
)
from tests.real.agent import AgentProcess, running_agent, wait_for
from tests.real.lab import WORK_IMAGE_2, Swarm
from tests.real.proxy import EngineProxy

RULES = """
- name: web-load
  services: [web]
  scale:
    min: 1
    max: 5
    metrics: [{type: cpu, target: 50%}]
"""
OPTIONS = ("--replicas=3", "--limit-cpu=0.1", "--rollback-monitor=1s")
SLOWLY = ("--update-monitor=500ms", "--update-delay=2s")
FAILS = ("--update-monitor=8s", "--update-delay=8s")
BROKEN = ["sh", "-c", "sleep 4; exit 1"]  # lives long enough for load to be seen meanwhile


@pytest.fixture(autouse=True)
def no_services_left(one_node: Swarm) -> Iterator[None]:
    """Every test begins and ends without tasks."""
    yield
    one_node.remove_services()


@dataclass(frozen=True, slots=True)
class Scene:
    """Service `web` of three replicas that want to be five as soon as the load is on."""

    swarm: Swarm
    proxy: EngineProxy
    agent: AgentProcess
    load: Load
    record: Record

    def blocked(self, reason: str) -> float:
        labels = {"rule": "web-load", "service_name": "web", "reason": reason}
        return self.agent.metric("swarm_rule_action_blocked_total", **labels) or 0.0

    def wants_more(self, reason: str) -> bool:
        """Whether the newest decision is held back by this reason and load asks for more."""
        return any(
            newest["reason"] == reason and (newest["desired"] or 0) > newest["current"]
            for newest in self.agent.decisions("web")[:1]
        )

    def wait_wanting_more(self, reason: str) -> None:
        wait_for(
            lambda: self.wants_more(reason),
            40,
            lambda: f"{reason} under load: {self.agent.decisions('web')[:1]}",
        )

    def why(self) -> list[dict[str, Any]]:
        """What `why --json` prints."""
        said = self.agent.command("why", "web", "--json", "--limit", "1000")
        found: list[dict[str, Any]] = json.loads(said.stdout)
        return found

    def wait_state(self, state: str, timeout: float = 60) -> dict[str, Any]:
        """The service once its update has that state."""
        wait_for(
            lambda: update_state(inspect(self.swarm.manager, "web")) == state,
            timeout,
            lambda: f"{state}: {inspect(self.swarm.manager, 'web').get('UpdateStatus')}",
        )
        return inspect(self.swarm.manager, "web")

    def wait_scaled(self) -> None:
        """Until the agent acted at last, and all runs."""
        wait_for(
            lambda: replicas(inspect(self.swarm.manager, "web")) == 5,
            60,
            lambda: f"5 replicas: {self.agent.decisions('web')[:1]}",
        )
        wait_for(lambda: all_on_spec(self.swarm, "web"), 60, lambda: "all tasks on the last spec")
        assert not self.proxy.faults

    def no_write_on_a_rollout(self) -> None:
        """No write was even tried on a version at which a rollout was on its way."""
        rolling = {s["Version"]["Index"] for _, s in self.record.seen if update_state(s) in ROLLING}
        assert rolling
        assert rolling.isdisjoint(write.version for write in self.proxy.writes)


@contextmanager
def web_under_watch(swarm: Swarm, folder: Path, *options: str) -> Iterator[Scene]:
    load = Load(folder)
    swarm.create_service("web", *OPTIONS, *options, load.mount, command=LOAD_COMMAND)
    swarm.wait_running("web", 3)
    with (
        EngineProxy(swarm.manager.socket, folder) as proxy,
        running_agent(folder, proxy.url, rules(folder, RULES)) as agent,
        recording(swarm.manager, "web") as record,
    ):
        wait_for_samples(agent, "web")
        yield Scene(swarm, proxy, agent, load, record)


def test_a_rolling_update_is_waited_for(one_node: Swarm, tmp_path: Path) -> None:
    """Load during a rolling update changes nothing until it has completed, then it does."""
    with web_under_watch(one_node, tmp_path, *SLOWLY) as scene:
        update(one_node.manager, "web", image=WORK_IMAGE_2)
        scene.load.on()
        scene.wait_wanting_more("rollout_in_progress")
        assert update_state(inspect(one_node.manager, "web")) == "updating"
        assert scene.why()[0]["reason"] == "rollout_in_progress"
        assert scene.proxy.writes == []
        scene.wait_state("completed")
        scene.wait_scaled()
        assert scene.blocked("rollout_in_progress") > 0
    states = [update_state(service) for _, service in scene.record.seen]
    first = scene.proxy.writes[0]
    assert first.at > scene.record.seen[states.index("completed")][0] - 0.5
    scene.no_write_on_a_rollout()
    last = scene.record.seen[-1][1]
    assert last["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] == WORK_IMAGE_2


def test_a_paused_rollout_stays_paused(one_node: Swarm, tmp_path: Path) -> None:
    """A failed update that waits for a person is left as it is, however much load there is."""
    with web_under_watch(one_node, tmp_path, *FAILS, "--update-failure-action=pause") as scene:
        scene.load.on()
        update(one_node.manager, "web", command=BROKEN)
        paused = scene.wait_state("paused")
        scene.wait_wanting_more("rollout_paused")
        held = scene.blocked("rollout_paused")
        wait_for(lambda: scene.blocked("rollout_paused") >= held + 3, 30, lambda: "evaluations")
        now = inspect(one_node.manager, "web")
        for part in ("Version", "Spec", "PreviousSpec", "UpdateStatus"):
            assert now[part] == paused[part]
        assert scene.why()[0]["reason"] == "rollout_paused"
        assert scene.proxy.writes == []
        # A person ends it; from then on the agent acts again.
        one_node.manager.docker("service", "rollback", "--detach", "web")
        scene.wait_state("rollback_completed")
        scene.wait_scaled()
    scene.no_write_on_a_rollout()
    assert len(scene.proxy.writes) >= 1


def test_an_automatic_rollback_recovers(one_node: Swarm, tmp_path: Path) -> None:
    """A bad deploy with failure_action rollback ends at the good spec, with all tasks running."""
    with web_under_watch(one_node, tmp_path, *FAILS, "--update-failure-action=rollback") as scene:
        good = inspect(one_node.manager, "web")["Spec"]
        scene.load.on()
        update(one_node.manager, "web", command=BROKEN)
        scene.wait_wanting_more("rollout_in_progress")
        back = scene.wait_state("rollback_completed")
        assert back["Spec"] == good
        assert scene.blocked("rollout_in_progress") > 0
        scene.wait_scaled()
    # `rollback_started` may be over before anybody can look, if the broken task had just ended.
    assert "updating" in {update_state(service) for _, service in scene.record.seen}
    scene.no_write_on_a_rollout()
    assert scene.proxy.writes[0].version >= back["Version"]["Index"]
    last = scene.record.seen[-1][1]
    assert last["Spec"]["TaskTemplate"] == good["TaskTemplate"]
