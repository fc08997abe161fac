"""Restarting what holds too much memory: after the stated time, once, and nothing else changed."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.acting import Load, all_on_spec, inspect, recording, rules
from tests.real.agent import running_agent, wait_for
from tests.real.lab import Swarm
from tests.real.proxy import EngineProxy

FOR_SECONDS = 3
# A back-off and a budget that would let it be restarted again and again.
RULES = f"""
- name: leak
  services: [api]
  restart:
    when: {{memory_above: 25%, for: {FOR_SECONDS}s}}
    budget: {{count: 10, within: 1h}}
    backoff: {{initial: 1s, max: 1s}}
"""
# Takes 40 MiB while the file /load/on is there and holds them for good.
LEAKS = (
    "sh",
    "-c",
    (
        "trap 'exit 0' TERM; while :; do if [ -e /load/on ] && [ ! -e /dev/shm/held ]; then "
        "dd if=/dev/zero of=/dev/shm/held bs=1M count=40; fi; sleep 0.2; done"
    ),
)


@pytest.fixture(autouse=True)
def no_services_left(one_node: Swarm) -> Iterator[None]:
    """Every test begins and ends without tasks."""
    yield
    one_node.remove_services()


def force_update(service: dict[str, object]) -> int:
    found: int = service["Spec"]["TaskTemplate"]["ForceUpdate"]  # type: ignore[index]
    return found


def test_a_leak_is_restarted_once(one_node: Swarm, tmp_path: Path) -> None:
    """A service over its memory bound for 3 s gets all its tasks anew through one ForceUpdate."""
    leak = Load(tmp_path)
    options = ("--replicas=2", "--limit-memory=64M", "--update-monitor=500ms", leak.mount)
    one_node.create_service("api", *options, command=LEAKS)
    old = {task["ID"] for task in one_node.wait_running("api", 2)}
    before = inspect(one_node.manager, "api")
    with (
        EngineProxy(one_node.manager.socket, tmp_path) as proxy,
        running_agent(tmp_path, proxy.url, rules(tmp_path, RULES)) as agent,
        recording(one_node.manager, "api") as record,
    ):
        wait_for(lambda: agent.reason("api") == "condition_not_met", 30, lambda: "first samples")
        began = leak.on()
        wait_for(
            lambda: "is not restarted yet" in agent.decisions("api")[0]["sentence"],
            30,
            lambda: f"the leak to be seen: {agent.decisions('api')[:1]}",
        )
        leak.off()  # what is restarted from here on does not leak again
        wait_for(lambda: proxy.writes, 30, lambda: f"a restart: {agent.decisions('api')[:1]}")
        wait_for(
            lambda: (
                one_node.running("api") and not old & ids(one_node) and all_on_spec(one_node, "api")
            ),
            60,
            lambda: f"new tasks: {one_node.running('api')}",
        )
        # Time enough for a second one, had the first not been the end of it.
        settled = time.monotonic()
        wait_for(lambda: time.monotonic() > settled + 2 * FOR_SECONDS, 60, lambda: "calm")
        labels = {"rule": "leak", "service_name": "api", "action": "restart_service"}
        assert agent.metric("swarm_rule_actions_total", **labels, outcome="applied") == 1
        said = json.loads(agent.command("why", "api", "--json").stdout)
    restarts = [decision for decision in said if decision["action"] == "restart_service"]
    assert [decision["reason"] for decision in restarts] == ["condition_met"]
    (write,) = proxy.writes
    assert write.status == 200
    assert write.at - began >= FOR_SECONDS
    wanted = copy.deepcopy(before["Spec"])
    wanted["TaskTemplate"]["ForceUpdate"] += 1
    assert inspect(one_node.manager, "api")["Spec"] == wanted
    assert {force_update(service) for _, service in record.seen} == {0, 1}
    print(f"restarted {write.at - began:.1f} s after the leak began, for {FOR_SECONDS} s")


def ids(swarm: Swarm) -> set[str]:
    return {task["ID"] for task in swarm.running("api")}
