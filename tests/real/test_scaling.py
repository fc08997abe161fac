"""Scaling under real CPU load: fast, within bounds, and without touching what runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.acting import (
    LOAD_COMMAND,
    Load,
    applied,
    inspect,
    recording,
    replicas,
    rules,
    wait_for_samples,
    with_replicas,
)
from tests.real.agent import running_agent, wait_for
from tests.real.lab import WORK_IMAGE, Swarm
from tests.real.proxy import EngineProxy

RULES = """
- name: web-load
  services: [{services}]
  scale:
    min: 1
    max: {most}
    metrics: [{{type: cpu, target: 50%}}]
"""
SHORT_WINDOW = "    scale_down: {stabilization_window: 5s}\n"


@pytest.fixture(autouse=True)
def no_services_left(one_node: Swarm) -> Iterator[None]:
    """Every test begins and ends without tasks."""
    yield
    one_node.remove_services()


def untouched(swarm: Swarm, service: str, before: set[str]) -> bool:
    """Whether all tasks of before still run and none was ever taken away."""
    tasks = swarm.tasks(service)
    alive = {task["ID"] for task in tasks if task["DesiredState"] == "running"}
    return before <= alive and len(alive) == len(tasks)


def test_load_is_answered_within_15_seconds(one_node: Swarm, tmp_path: Path) -> None:
    """Two loaded replicas become six, the first of them within 15 s; calm brings back one."""
    load = Load(tmp_path)
    one_node.create_service(
        *["web", "--replicas=2", "--limit-cpu=0.1", load.mount], command=LOAD_COMMAND
    )
    first_two = {task["ID"] for task in one_node.wait_running("web", 2)}
    place = rules(tmp_path, RULES.format(services="web", most=6))
    before = inspect(one_node.manager, "web")
    with (
        EngineProxy(one_node.manager.socket, tmp_path) as proxy,
        running_agent(tmp_path, proxy.url, place) as agent,
        recording(one_node.manager, "web") as record,
    ):
        wait_for_samples(agent, "web")
        began = load.on()
        wait_for(lambda: record.replicas[-1] > 2, 40, lambda: f"more than 2: {record.replicas}")
        assert untouched(one_node, "web", first_two)
        wait_for(lambda: record.replicas[-1] == 6, 60, lambda: f"6: {record.replicas}")
        one_node.wait_running("web", 6)
        assert untouched(one_node, "web", first_two)
        wait_for(lambda: agent.reason("web") == "at_max", 30, lambda: agent.decisions("web")[:1])
        rules(tmp_path, RULES.format(services="web", most=6) + SHORT_WINDOW)
        load.off()
        calm = time.monotonic()
        wait_for(lambda: record.replicas[-1] == 1, 90, lambda: f"1: {record.replicas}")
        back = time.monotonic() - calm
        one_node.wait_running("web", 1)
        acted = applied(agent)
        said = agent.command("why", "web", "--json", "--limit", "100")
    times = [(replicas(service), round(at - began, 1)) for at, service in record.seen]
    print(f"replicas after seconds of load: {times[1:]}; back {back:.1f} s after the load's end")
    assert replicas(before) == record.replicas[0] == 2
    assert next(at for at, service in record.seen if replicas(service) > 2) - began < 15
    assert all(1 <= count <= 6 for count in record.replicas)
    assert all(s["Spec"] == with_replicas(before["Spec"], replicas(s)) for _, s in record.seen)
    assert [write.status for write in proxy.writes] == [200] * len(acted)
    assert len(record.seen) == len(acted) + 1  # nobody else wrote, and every write is told
    actions = [d["action"] for d in json.loads(said.stdout) if d["action"] != "none"]
    assert actions[-1] == "scale_up"
    assert actions[0] == "scale_down"
    assert not proxy.faults


def create_through_the_api(swarm: Swarm, name: str, load: Load) -> None:
    """With no field that the daemon would fill in by itself."""
    mount = {"Type": "bind", "Source": str(load.folder), "Target": "/load"}
    container = {"Image": WORK_IMAGE, "Command": list(LOAD_COMMAND), "Mounts": [mount]}
    limits = {"Limits": {"NanoCPUs": 100_000_000}}
    spec: dict[str, Any] = {
        "Name": name,
        "TaskTemplate": {"ContainerSpec": container, "Resources": limits},
        "Mode": {"Replicated": {"Replicas": 2}},
    }
    swarm.manager.api("POST", "/services/create", spec)


def deploy_as_a_stack(swarm: Swarm, folder: Path, load: Load) -> None:
    """As service `shop_web`, on the stack's own network."""
    file = folder / "shop.yml"
    web = {
        "image": WORK_IMAGE,
        # In a stack file a dollar sign is doubled.
        "command": [word.replace("$", "$$") for word in LOAD_COMMAND],
        "volumes": [f"{load.folder}:/load"],
        "environment": {"COLOUR": "blue"},
        "deploy": {"replicas": 2, "resources": {"limits": {"cpus": "0.1"}}},
    }
    file.write_text(json.dumps({"version": "3.8", "services": {"web": web}}))
    swarm.manager.docker(
        *["stack", "deploy", "--resolve-image=never", "--compose-file", str(file), "shop"]
    )


def test_no_task_is_replaced_however_the_service_was_made(one_node: Swarm, tmp_path: Path) -> None:
    """Scaling changes `Replicas` alone, also where a spec leaves out what has defaults."""
    load = Load(tmp_path)
    create_through_the_api(one_node, "bare", load)
    deploy_as_a_stack(one_node, tmp_path, load)
    services = ("bare", "shop_web")
    before = {name: inspect(one_node.manager, name) for name in services}
    first = {name: {t["ID"] for t in one_node.wait_running(name, 2)} for name in services}
    place = rules(tmp_path, RULES.format(services="bare, shop_web", most=4))
    with running_agent(tmp_path, one_node.manager.url, place) as agent:
        for name in services:
            wait_for_samples(agent, name)
        load.on()
        for name in services:
            one_node.wait_running(name, 4)
        load.off()
    for name in services:
        after = inspect(one_node.manager, name)
        assert after["Spec"] == with_replicas(before[name]["Spec"], 4)
        assert untouched(one_node, name, first[name])
    assert "StopGracePeriod" not in before["bare"]["Spec"]["TaskTemplate"]["ContainerSpec"]
    one_node.manager.docker("stack", "rm", "shop")
