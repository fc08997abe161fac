"""Finding containers in the cgroup trees of every driver and version."""

from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.usage.layout import expand_slice
from monitor.usage.locate import Location, Locator
from tests.unit.usage import trees
from tests.unit.usage.trees import A, B, container


def locator(tmp_path: Path) -> Locator:
    return Locator(tmp_path / "proc", tmp_path / "cgroup")


def search(finder: Locator, *wanted: str) -> dict[str, Location]:
    found: dict[str, Location] = {}
    for _ in finder.search(set(wanted), found):
        pass
    return found


LAYOUTS = [
    pytest.param("", f"docker/{A}", id="cgroupfs"),
    pytest.param("", f"system.slice/docker-{A}.scope", id="systemd"),
    pytest.param("/swarm/tasks", f"swarm/tasks/{A}", id="cgroupfs-parent"),
    pytest.param(
        "web-front.slice", f"web.slice/web-front.slice/docker-{A}.scope", id="systemd-parent"
    ),
]


@pytest.mark.parametrize(("parent", "path"), LAYOUTS)
def test_v1_layouts_are_known(tmp_path: Path, parent: str, path: str) -> None:
    """Both drivers' places are found without a search, with all controllers."""
    trees.v1_container(trees.v1_root(tmp_path / "cgroup"), path)
    found = locator(tmp_path).find(container(cgroup_parent=parent))
    assert found is not None
    assert found.version == 1
    assert found.directories == {
        controller: f"{tmp_path}/cgroup/{controller}/{path}"
        for controller in ("cpuacct", "cpu", "memory", "blkio", "pids")
    }


@pytest.mark.parametrize(("parent", "path"), LAYOUTS)
def test_v2_layouts_are_known(tmp_path: Path, parent: str, path: str) -> None:
    """The same in the unified hierarchy."""
    trees.v2_container(trees.v2_root(tmp_path / "cgroup"), path)
    found = locator(tmp_path).find(container(cgroup_parent=parent))
    assert found == Location(2, {"": f"{tmp_path}/cgroup/{path}"})


def test_controllers_mounted_together_are_found_by_each_name(tmp_path: Path) -> None:
    """`cpu,cpuacct` is one directory with links to it."""
    root = trees.v1_root_together(tmp_path / "cgroup")
    trees.v1_container(root, f"docker/{A}")
    found = locator(tmp_path).find(container())
    assert found is not None
    assert Path(found.directories["cpu"]).samefile(found.directories["cpuacct"])


def test_controllers_mounted_together_are_found_without_links(tmp_path: Path) -> None:
    """The links are systemd's; the directory alone must do."""
    root = trees.v1_root_together(tmp_path / "cgroup")
    trees.v1_container(root, f"docker/{A}")
    (root / "cpu").unlink()
    (root / "cpuacct").unlink()
    found = locator(tmp_path).find(container())
    assert found is not None
    assert found.directories["cpuacct"] == f"{root}/cpu,cpuacct/docker/{A}"


def test_a_missing_controller_is_left_out(tmp_path: Path) -> None:
    """A kernel without the memory controller still gives CPU time."""
    root = trees.v1_root(tmp_path / "cgroup")
    trees.v1_container(root, f"docker/{A}")
    (root / "memory").rename(tmp_path / "off")
    found = locator(tmp_path).find(container())
    assert found is not None
    assert "memory" not in found.directories


def test_proc_says_where_it_is(tmp_path: Path) -> None:
    """A place that no driver uses is found through the process."""
    root = trees.v1_root(tmp_path / "cgroup")
    trees.v1_container(root, f"odd/place/{A}")
    lines = f"5:memory:/odd/place/{A}\n3:cpu,cpuacct:/odd/place/{A}\n0::/\n"
    trees.process(tmp_path / "proc", 4242, lines)
    found = locator(tmp_path).find(container(pid=4242))
    assert found is not None
    assert sorted(found.directories) == ["cpu", "cpuacct", "memory"]


def test_proc_of_a_process_that_moved_below_its_container(tmp_path: Path) -> None:
    """systemd in a container moves itself into a cgroup below the container's own."""
    root = trees.v2_root(tmp_path / "cgroup")
    trees.v2_container(root, f"odd/docker-{A}.scope")
    trees.process(tmp_path / "proc", 4242, f"0::/odd/docker-{A}.scope/init.scope\n")
    found = locator(tmp_path).find(container(pid=4242))
    assert found == Location(2, {"": f"{root}/odd/docker-{A}.scope"})


def test_a_pid_that_is_another_process_here_is_not_believed(tmp_path: Path) -> None:
    """The engine's pid means nothing in another pid namespace: only the id counts."""
    root = trees.v2_root(tmp_path / "cgroup")
    trees.v2_container(root, f"docker/{B}")
    trees.process(tmp_path / "proc", 4242, f"0::/docker/{B}\n")
    assert locator(tmp_path).find(container(A, pid=4242)) is None


def test_a_path_of_another_cgroup_namespace_leads_to_the_known_places(tmp_path: Path) -> None:
    """Seen from inside a container, /proc shows `/../docker-ID.scope`: of no use as a path."""
    root = trees.v2_root(tmp_path / "cgroup")
    trees.v2_container(root, f"system.slice/docker-{A}.scope")
    trees.process(tmp_path / "proc", 4242, f"0::/../docker-{A}.scope\n")
    found = locator(tmp_path).find(container(pid=4242))
    assert found == Location(2, {"": f"{root}/system.slice/docker-{A}.scope"})


@pytest.mark.parametrize(
    ("make_root", "make", "top"),
    [
        (trees.v1_root, trees.v1_container, "cpuacct/"),
        (trees.v2_root, trees.v2_container, ""),
    ],
)
def test_a_search_finds_odd_places_and_remembers_them(
    tmp_path: Path,
    make_root: Callable[[Path], Path],
    make: Callable[[Path, str], None],
    top: str,
) -> None:
    """A daemon's own --cgroup-parent is nowhere to be read: one search, and never again."""
    root = make_root(tmp_path / "cgroup")
    make(root, f"some/parent/{A}")
    finder = locator(tmp_path)
    assert finder.find(container(A)) is None
    assert set(search(finder, A)) == {A}
    make(root, f"some/parent/{B}")
    found = finder.find(container(B))
    assert found is not None
    assert f"{root}/{top}some/parent/{B}" in found.directories.values()


def test_a_search_is_bounded_and_pauses(tmp_path: Path) -> None:
    """A tree of thousands of directories is searched in small steps, and not to its end."""
    root = trees.v2_root(tmp_path / "cgroup")
    for number in range(60):
        for below in range(100):
            (root / f"session-{number}x" / f"part-{below}x").mkdir(parents=True)
    found: dict[str, Location] = {}
    steps = sum(1 for _ in locator(tmp_path).search({A}, found))
    assert found == {}
    assert 100 <= steps <= 5200 // 32


def test_nothing_to_find_is_none(tmp_path: Path) -> None:
    """No cgroup tree at all: the stats API will be asked."""
    finder = locator(tmp_path)
    assert finder.version is None
    assert finder.find(container()) is None
    assert search(finder, A) == {}


def test_a_tree_that_comes_later_is_found(tmp_path: Path) -> None:
    """The mounts may be made after the agent started."""
    finder = locator(tmp_path)
    trees.v2_container(trees.v2_root(tmp_path / "cgroup"), f"docker/{A}")
    assert finder.find(container()) is not None


def test_a_parent_cannot_lead_out_of_the_tree(tmp_path: Path) -> None:
    """`..` in a cgroup parent is not followed."""
    trees.v2_root(tmp_path / "cgroup")
    trees.v2_container(tmp_path / "outside", A)
    assert locator(tmp_path).find(container(cgroup_parent="../outside")) is None


def test_slices_are_expanded_as_systemd_does() -> None:
    """Each dash is one level."""
    assert expand_slice("a-b-c.slice") == "a.slice/a-b.slice/a-b-c.slice"
    assert expand_slice("-.slice") == ""
    assert expand_slice("user.slice") == "user.slice"


def test_host_memory_is_read_from_proc(tmp_path: Path) -> None:
    """MemTotal is in kB; without /proc it is unknown."""
    trees.write(tmp_path / "proc", {"meminfo": "MemTotal:  1998512 kB\nMemFree: 1 kB\n"})
    assert locator(tmp_path).host_memory() == 1998512 * 1024
    assert Locator(tmp_path / "nowhere", tmp_path).host_memory() == 0
