"""The lab itself: real Swarms come up fast, break when told to, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.real.lab import ApiError, LabError, Swarm, eventually, reaper

pytestmark = pytest.mark.thorough

_ROOT = Path(__file__).parents[2]


def test_one_node_runs_a_service(one_node: Swarm) -> None:
    """A Swarm of one comes up, and a service with its own image runs without a registry."""
    began = time.monotonic()
    one_node.create_service("web", "--replicas=2")
    tasks = one_node.wait_running("web", 2)
    print(f"one node up in {one_node.seconds_to_start:.1f} s, ", end="")
    print(f"2 tasks running after {time.monotonic() - began:.1f} s")
    assert {task["NodeID"] for task in tasks} == {one_node.manager.node_id}
    assert len(one_node.manager.docker("ps", "--quiet").split()) == 2
    one_node.remove_services()


def test_a_rollout_goes_to_the_second_image(one_node: Swarm) -> None:
    """The second work image differs, so updating to it replaces the task."""
    one_node.create_service("roll")
    (before,) = one_node.wait_running("roll", 1)
    one_node.manager.docker(
        *["service", "update", "--detach", "--no-resolve-image", "--image", "work:2", "roll"]
    )
    eventually(
        lambda: [t["ID"] for t in one_node.running("roll")] not in ([], [before["ID"]]),
        60,
        "the new task",
    )
    container = one_node.manager.docker("ps", "--quiet", "--filter", "ancestor=work:2")
    assert one_node.manager.docker("exec", container, "cat", "/version") == "2"
    one_node.remove_services()


def test_container_processes_are_found_from_outside(one_node: Swarm) -> None:
    """A task's process number, as the engine tells it, is found under the node's /proc."""
    one_node.create_service("seen", command=("sleep", "12345"))
    one_node.wait_running("seen", 1)
    node = one_node.manager
    container = node.docker("ps", "--quiet", "--filter", "name=seen")
    number = node.docker("inspect", "--format", "{{.State.Pid}}", container)
    assert b"12345" in (node.proc / number / "cmdline").read_bytes()
    assert container in (node.proc / number / "cgroup").read_text()
    assert node.run_inside(["hostname"]) == "m1"
    one_node.remove_services()


def test_nothing_is_reachable_outside_the_lab(one_node: Swarm) -> None:
    """A node has no way out of the lab, so a test never depends on the network."""
    assert "default" not in one_node.manager.run_in_netns(["ip", "route"])
    began = time.monotonic()
    with pytest.raises(LabError):
        one_node.manager.docker("pull", "busybox")
    assert time.monotonic() - began < 20


def test_crash_and_restart_keep_the_swarm(one_node: Swarm) -> None:
    """A killed engine takes its containers along; started again it still is the same Swarm."""
    node = one_node.manager
    one_node.create_service("kept")
    (before,) = one_node.wait_running("kept", 1)
    node.kill()
    assert not node.running
    assert reaper.remains(f"{one_node.name}")  # the lab as such is still there
    with pytest.raises(OSError):
        node.api("GET", "/_ping")
    began = time.monotonic()
    node.start()
    one_node.wait_ready()
    eventually(
        lambda: [t["ID"] for t in one_node.running("kept")] not in ([], [before["ID"]]),
        60,
        "the task after the crash",
    )
    print(f"killed, started, its task replaced after {time.monotonic() - began:.1f} s")
    node.restart()
    one_node.wait_ready()
    assert node.node_id == one_node.leader().node_id
    one_node.remove_services()


def test_a_frozen_engine_accepts_and_does_not_answer(one_node: Swarm) -> None:
    """Frozen, calls run into their deadline; thawed, the same engine answers again."""
    node = one_node.manager
    pid = node.dockerd_pid
    node.freeze()
    with pytest.raises(TimeoutError):
        node.api("GET", "/_ping", timeout=1)
    node.thaw()
    assert node.api("GET", "/_ping", timeout=10) == "OK"
    assert node.dockerd_pid == pid


def test_five_nodes_share_a_service(five_nodes: Swarm) -> None:
    """Three managers and two workers come up and each gets its part of a service."""
    print(f"five nodes up in {five_nodes.seconds_to_start:.1f} s")
    five_nodes.create_service("spread", "--replicas=5")
    tasks = five_nodes.wait_running("spread", 5)
    assert {t["NodeID"] for t in tasks} == {n.node_id for n in five_nodes.nodes}
    with pytest.raises(ApiError, match="not a swarm manager") as refused:
        five_nodes.workers[0].api("GET", "/services")
    assert refused.value.status == 503
    five_nodes.remove_services()


def test_a_cut_off_worker_goes_down_and_comes_back(five_nodes: Swarm) -> None:
    """Unplugged, a worker is down for the managers while its own socket answers."""
    worker = five_nodes.workers[1]

    def state() -> str:
        inspected = five_nodes.leader().api("GET", f"/nodes/{worker.node_id}")
        return str(inspected["Status"]["State"])

    began = time.monotonic()
    worker.cut_off()
    eventually(lambda: state() == "down", 60, "the worker to be down")
    print(f"cut off, down after {time.monotonic() - began:.1f} s")
    assert worker.api("GET", "/_ping") == "OK"
    worker.reconnect()
    eventually(lambda: state() == "ready", 60, "the worker to be ready")


def test_three_managers_elect_anew(three_managers: Swarm) -> None:
    """With the leader killed another manager leads; the old one comes back as a follower."""
    old = three_managers.leader()
    began = time.monotonic()
    old.kill()
    new = three_managers.leader()
    print(f"leader killed, {new.name} leads after {time.monotonic() - began:.1f} s")
    assert new is not old
    old.start()
    three_managers.wait_ready()


_ORPHAN = """
import subprocess, sys, time
from tests.real.lab import Swarm
swarm = Swarm.start(1, 1)
swarm.create_service("left", "--replicas=2")
swarm.wait_running("left", 2)
swarm.manager.popen(["sleep", "1000"])
if "--no-keeper" in sys.argv:
    swarm._keeper.kill()
print(swarm.name, flush=True)
time.sleep(1000)
"""


def _left_over(*options: str) -> str:
    """The name of a lab whose owner was killed."""
    owner = subprocess.Popen(
        [sys.executable, "-c", _ORPHAN, *options],
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    with owner.stdout:
        name = owner.stdout.readline().strip()
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    return name


def test_the_lab_of_a_killed_test_run_ends_with_it() -> None:
    """After SIGKILL of its owner a lab is gone by itself: its keeper removes it."""
    name = _left_over()
    assert name
    began = time.monotonic()
    eventually(lambda: not reaper.remains(name), 30, "the lab to be gone")
    print(f"owner killed, all gone after {time.monotonic() - began:.1f} s")


def test_the_next_run_reaps_what_even_the_keeper_left() -> None:
    """With the keeper killed as well, the next run removes processes, network, cgroups, files."""
    name = _left_over("--no-keeper")
    kinds = {line.split()[0] for line in reaper.remains(name)}
    assert kinds >= {"process", "namespace", "cgroup", "folder"}
    began = time.monotonic()
    assert name in reaper.reap_stale()
    print(f"reaped in {time.monotonic() - began:.1f} s")
    assert reaper.remains(name) == []


def test_a_living_owners_lab_is_left_alone(one_node: Swarm) -> None:
    """Reaping touches no lab whose owner still runs."""
    assert one_node.name not in reaper.reap_stale()
    assert one_node.manager.api("GET", "/_ping") == "OK"
