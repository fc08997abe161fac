"""stack.yml on a real Swarm, with the image that the Dockerfile makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real import fleet
from tests.real.lab import LabError, Node, Swarm, eventually
from tests.real.lab.image import ROOT, product_image

# The first build of the image downloads a base system and packages.
pytestmark = [pytest.mark.fleet, pytest.mark.timeout(900)]

_FASTER = {"SWARM_MONITOR_UPDATE_PARALLELISM": "5"}


@pytest.fixture(scope="module")
def deployed() -> Iterator[Swarm]:
    """Three managers and two workers with the stack on all of them, and two services at work."""
    archive = product_image()
    with Swarm.start(3, 2, in_memory=True) as swarm:
        fleet.deploy_stack(swarm, archive, variables=_FASTER)
        swarm.create_service("everywhere", "--mode=global")
        swarm.create_service("web", "--replicas=5")
        swarm.wait_running("everywhere", 5)
        swarm.wait_running("web", 5)
        yield swarm
        # Last of all, whatever the order of the tests: what it leaves behind.
        fleet.remove_stack(swarm)
        assert len(swarm.running("web")) == 5
        configs = swarm.manager.docker("config", "ls", "--format", "{{.Name}}").split()
        assert "swarm-monitor-lease" in configs


def test_each_agent_exports_what_runs_on_its_node(deployed: Swarm) -> None:
    """Each of the five agents answers, and shows the usage of its own node's tasks alone."""
    for node in deployed.nodes:
        expected = {
            task["ID"]
            for service in ("everywhere", "web", fleet.SERVICE)
            for task in deployed.running(service)
            if task["NodeID"] == node.node_id
        }
        assert fleet.agent_get(node, "/healthz")[0] == 200

        def shown(name: str, node=node) -> set[str]:
            return {
                labels["task_id"] for have, labels, _ in fleet.agent_samples(node) if have == name
            }

        # CPU comes from the host's cgroup files, network counters from the host's /proc.
        for name in (
            "swarm_task_cpu_usage_seconds_total",
            "swarm_task_memory_working_set_bytes",
            "swarm_task_network_receive_bytes_total",
        ):
            eventually(
                lambda name=name, expected=expected: shown(name) == expected,
                20,
                lambda name=name, node=node: f"{name} of {node.name}: {shown(name)}",
            )


def test_one_agent_tells_of_the_whole_swarm(deployed: Swarm) -> None:
    """The cluster's series come from exactly one agent."""

    def tellers() -> list[str]:
        return [
            node.name
            for node in deployed.nodes
            if fleet.agent_value(node, "swarm_service_replicas_running", service_name="web") == 5
        ]

    eventually(lambda: len(tellers()) == 1, 20, lambda: f"one agent to tell; {tellers()} do")


def test_the_actor_hears_the_agents_of_all_nodes(deployed: Swarm) -> None:
    """By the secret and over the stack's network: none of the five is unheard."""

    def unheard() -> list[float | None]:
        return [fleet.agent_value(n, "swarm_agent_nodes_unheard") for n in fleet.actors(deployed)]

    eventually(lambda: unheard() == [0], 20, lambda: f"all to be heard: {unheard()}")


def test_managers_show_how_they_hear_the_others(deployed: Swarm) -> None:
    """Each manager's agent exports its four peers, their clocks, and how long their events took."""
    worker = deployed.workers[0]
    victim = next(t for t in deployed.running("web") if t["NodeID"] == worker.node_id)
    worker.docker("kill", victim["Status"]["ContainerStatus"]["ContainerID"])
    for node in deployed.managers:

        def heard(node: Node = node) -> bool:
            samples = fleet.agent_samples(node)
            delays = "swarm_agent_remote_event_delay_seconds_count"
            return (
                sum(v for n, labels, v in samples if n == "swarm_agent_peers" if v) == 4
                and sum(n == "swarm_agent_clock_skew_seconds" for n, _, _ in samples) == 4
                and any(n == delays and v >= 1 for n, _, v in samples)
            )

        eventually(heard, 30, lambda node=node: f"{node.name} to hear four peers and an event")
    deployed.wait_running("web", 5)


def test_the_container_has_no_more_rights_than_it_needs(deployed: Swarm) -> None:
    """Read-only root, no capabilities, the secret for root alone; nothing there can install."""
    node = deployed.nodes[-1]
    container = fleet.agent_container(node)
    assert container["HostConfig"]["ReadonlyRootfs"] is True
    status = fleet.agent_exec(node, "cat", "/proc/1/status")
    assert "CapEff:\t0000000000000000" in status
    secret = fleet.agent_exec(node, "stat", "-c", "%a %u", "/run/secrets/swarm-monitor-secret")
    assert secret == "400 0"
    mounts = {mount["Destination"]: mount["RW"] for mount in container["Mounts"]}
    assert mounts["/host/proc"] is False
    assert mounts["/host/sys/fs/cgroup"] is False
    for missing in ("pip", "ensurepip", "setuptools", "hatchling"):
        found = "import sys, importlib.util as u; sys.exit(u.find_spec(sys.argv[1]) is not None)"
        fleet.agent_exec(node, "/opt/swarm-monitor/bin/python", "-c", found, missing)
        fleet.agent_exec(node, "python3", "-c", found, missing)
    tools = "for name in gcc cc make pip git; do ! command -v $name || exit 1; done"
    fleet.agent_exec(node, "sh", "-c", tools)


def test_another_deploy_of_the_same_changes_nothing(deployed: Swarm) -> None:
    """The same files with the same rules leave every task as it is."""
    before = {task["ID"] for task in deployed.running(fleet.SERVICE)}
    fleet.deploy_stack(deployed, None, variables=_FASTER)
    assert {task["ID"] for task in deployed.running(fleet.SERVICE)} == before


def test_changed_rules_reach_every_agent_and_can_be_rolled_back(
    deployed: Swarm, tmp_path: Path
) -> None:
    """A deploy with other rules reaches each agent; a rollback brings back those before."""
    before = hashes(deployed)
    assert len(before) == 1
    rules = tmp_path / "own.yml"
    scale = "scale: {min: 5, max: 6, metrics: [{type: cpu, cores: 1}]}"
    rules.write_text(f"version: 1\nrules:\n  - {{name: own, services: [web], {scale}}}\n")
    fleet.deploy_stack(deployed, None, rules=rules, variables=_FASTER)
    eventually(
        lambda: len(hashes(deployed)) == 1 and not hashes(deployed) & before,
        60,
        lambda: f"other rules everywhere: {hashes(deployed)}, before {before}",
    )
    assert fleet.wait_updated(deployed) == "completed"
    deployed.manager.docker("service", "rollback", "--detach", fleet.SERVICE)
    eventually(lambda: hashes(deployed) == before, 90, lambda: f"{before}: {hashes(deployed)}")
    assert fleet.wait_updated(deployed) == "rollback_completed"


def test_a_deploy_without_the_hash_says_what_to_set(deployed: Swarm) -> None:
    """Without RULES_HASH nothing is deployed, and the error names it."""
    with pytest.raises(LabError, match="RULES_HASH"):
        deployed.manager.docker("stack", "deploy", "-c", str(ROOT / "stack.yml"), "other")


def hashes(swarm: Swarm) -> set[float | None]:
    """What each agent says of its rules; equal numbers are equal rules."""
    return {fleet.agent_value(node, "swarm_rule_config_hash") for node in swarm.nodes}
