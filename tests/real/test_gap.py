"""The gap after a deploy, while its update has no status yet, is hit on purpose and holds.

A manager first writes the new spec, with no update status, and in a later transaction the status
`updating`. That one needs a majority of the managers. With the other manager of two frozen
between the two, the gap is as long as wanted; the leader still answers reads from its memory.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from tests.real.acting import (
    IDLE_COMMAND,
    ROLLING,
    all_on_spec,
    inspect,
    replicas,
    rules,
    update,
    update_state,
)
from tests.real.agent import AgentProcess, running_agent, wait_for
from tests.real.conftest import SwarmFactory
from tests.real.lab import WORK_IMAGE, WORK_IMAGE_2, Swarm
from tests.real.proxy import EngineProxy

RULES = """
- name: floor
  services: [web]
  scale:
    min: 2
    max: 4
    metrics: [{type: cpu, cores: 1}]
"""
GAPS = 3
AT_MOST = 20  # deploys; some gaps are over before the other manager is frozen
HELD = 3.0  # seconds: longer than the 2 s that a service is left alone in any case


def at_rest(swarm: Swarm) -> bool:
    found = inspect(swarm.manager, "web")
    return replicas(found) == 2 and update_state(found) not in ROLLING and all_on_spec(swarm, "web")


def hold_a_gap(swarm: Swarm, agent: AgentProcess, frozen_pid: int, image: str) -> int | None:
    """Deploys, as a stack file does, with too few replicas, and looks for 3 s at what is decided.

    The version that was in force all this time, without any status; None where the rollout had
    begun before it could be stopped.
    """
    leader = swarm.managers[0]
    update(leader, "web", image=image, replicas=1)
    os.kill(frozen_pid, signal.SIGSTOP)
    try:
        deployed = inspect(leader, "web")
        if update_state(deployed) is not None:
            return None
        version: int = deployed["Version"]["Index"]
        held_until = time.monotonic() + HELD
        seen: list[dict[str, Any]] = []
        while time.monotonic() < held_until:
            seen += agent.decisions("web")[:1]
            time.sleep(0.1)
        after = inspect(leader, "web")
        if after["Version"]["Index"] != version:
            return None  # the other manager had let the rollout begin in its last moment
        assert update_state(after) is None
        running = swarm.running("web")
        assert running
        assert all(task["Spec"]["ContainerSpec"]["Image"] != image for task in running)
    finally:
        os.kill(frozen_pid, signal.SIGCONT)
    # The rule asked for a write on this very version, and was held back to the gap's end.
    assert (seen[-1]["version"], seen[-1]["reason"]) == (version, "rollout_in_progress")
    assert (seen[-1]["current"], seen[-1]["desired"]) == (1, 2)
    return version


def test_nothing_is_written_before_the_rollout_begins(
    swarm_of: SwarmFactory, tmp_path: Path
) -> None:
    """No version without a status is written to, every rollout completes, then the agent acts."""
    swarm = swarm_of(2, 0)
    assert swarm.leader() is swarm.managers[0]
    options = ("--update-monitor=200ms", "--constraint=node.hostname==m1", "--replicas=2")
    swarm.create_service("web", *options, command=IDLE_COMMAND)
    swarm.wait_running("web", 2)
    frozen_pid = swarm.managers[1].dockerd_pid
    gaps: list[int] = []
    deploys = 0
    with (
        EngineProxy(swarm.managers[0].socket, tmp_path) as proxy,
        running_agent(tmp_path, proxy.url, rules(tmp_path, RULES)) as agent,
    ):
        while len(gaps) < GAPS and deploys < AT_MOST:
            deploys += 1
            image = WORK_IMAGE_2 if deploys % 2 else WORK_IMAGE
            version = hold_a_gap(swarm, agent, frozen_pid, image)
            if version is not None:
                gaps.append(version)
            wait_for(lambda: at_rest(swarm), 60, lambda: f"rest: {agent.decisions('web')[:1]}")
            now = inspect(swarm.manager, "web")
            assert now["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] == image
            assert len(proxy.writes) == deploys  # one each, and not before all was over
        shown = {
            read.answer["Version"]["Index"]
            for read in proxy.reads
            if update_state(read.answer) is None
        }
    print(f"{len(gaps)} gaps of {HELD} s in {deploys} deploys")
    assert len(gaps) == GAPS
    assert set(gaps) <= shown
    assert {write.version for write in proxy.writes}.isdisjoint(gaps)
    assert all(write.status == 200 for write in proxy.writes)
