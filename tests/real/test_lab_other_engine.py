"""The lab with engines of another version, run from a file tree of their own."""

from __future__ import annotations

import pytest

from tests.real.lab import Swarm

pytestmark = pytest.mark.other_engine


def test_engine_28_runs_a_service(engine_28: Swarm) -> None:
    """A newer engine comes up in the lab, runs the work image and enters its containers."""
    node = engine_28.manager
    version = node.api("GET", "/version")
    print(f"engine {version['Version']}, API {version['ApiVersion']}", end=", ")
    print(f"up in {engine_28.seconds_to_start:.1f} s")
    assert int(version["Version"].split(".")[0]) >= 28
    engine_28.create_service("web", "--replicas=2")
    engine_28.wait_running("web", 2)
    container = node.docker("ps", "--quiet").split()[0]
    assert node.docker("exec", container, "cat", "/version") == "1"
    engine_28.remove_services()


def test_engine_28_survives_a_crash(engine_28: Swarm) -> None:
    """Killed and started again, it is the same Swarm."""
    node = engine_28.manager
    node.kill()
    node.start()
    engine_28.wait_ready()
    assert engine_28.leader().api("GET", "/info")["Swarm"]["NodeID"] == node.node_id


def test_engines_of_two_versions_share_a_swarm(mixed_engines: Swarm) -> None:
    """Old and new engines join one Swarm and each runs its part of a service."""
    mixed_engines.create_service("spread", "--replicas=4")
    tasks = mixed_engines.wait_running("spread", 4)
    assert {t["NodeID"] for t in tasks} == {n.node_id for n in mixed_engines.nodes}
