"""Network counters through processes of the container."""

from pathlib import Path

import pytest

from monitor.usage.network import NetworkReader, OutOfReachError
from tests.unit.usage import trees
from tests.unit.usage.trees import A, B


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc with the host's first process, and processes of two containers."""
    trees.process(tmp_path, 1, "0::/init.scope\n")
    trees.process(tmp_path, 10, f"4:memory:/docker/{A}\n0::/docker/{A}\n")
    trees.process(tmp_path, 20, f"0::/../docker-{B}.scope\n")
    return tmp_path


def test_the_engines_pid_is_used(proc: Path) -> None:
    """A pid that belongs to the container is enough."""
    network = NetworkReader(proc).read(A, 10, "/nowhere")
    assert network is not None
    assert network.receive_bytes == 123457789


def test_a_pid_is_verified_from_another_cgroup_namespace(proc: Path) -> None:
    """A relative path still names the container."""
    assert NetworkReader(proc).read(B, 20, "/nowhere") is not None


def test_another_containers_pid_is_not_used(proc: Path) -> None:
    """A number of another pid namespace must not show a stranger's traffic."""
    with pytest.raises(OutOfReachError):
        NetworkReader(proc).read(A, 20, "/nowhere")


def test_the_cgroups_processes_stand_in(proc: Path) -> None:
    """Where the engine counts in a namespace of its own, cgroup.procs has this one's numbers."""
    procs = trees.write(proc / "cgroup", {"cgroup.procs": "0\n20\n10\n"}) / "cgroup.procs"
    assert NetworkReader(proc).read(A, 20, str(procs)) is not None


def test_processes_out_of_sight_are_out_of_reach(proc: Path) -> None:
    """cgroup.procs shows 0 for processes outside of the reader's pid namespace."""
    procs = trees.write(proc / "cgroup", {"cgroup.procs": "0\n0\n"}) / "cgroup.procs"
    with pytest.raises(OutOfReachError):
        NetworkReader(proc).read(A, 4242, str(procs))


def test_the_hosts_own_network_is_not_the_tasks(proc: Path) -> None:
    """On the host's network a task has no counters of its own, as in the stats API."""
    file = proc / "10/net/dev"
    file.unlink()
    file.hardlink_to(proc / "1/net/dev")  # one inode, as for one network namespace
    assert NetworkReader(proc).read(A, 10, "/nowhere") is None
