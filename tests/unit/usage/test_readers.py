"""Readings from cgroup files, v1 and v2."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.model.usage import Network, Reading
from monitor.usage.cgroup_v1 import V1Reader
from monitor.usage.cgroup_v2 import V2Reader
from monitor.usage.files import GoneError
from monitor.usage.reader import CgroupReader, limit, working_set
from tests.unit.usage.trees import HOST_MEMORY, V1, V2, write

EXPECTED = Reading(
    cpu_seconds=12.345678,
    memory_usage=52428800,
    working_set=50000000,
    cpu_user_seconds=10.0,
    cpu_system_seconds=2.345678,
    cpu_periods=100,
    cpu_throttled_periods=40,
    cpu_throttled_seconds=2.5,
    rss=45000000,
    cache=4096000,
    memory_limit=67108864,
    memory_failures=3,
    oom_kills=1,
    network=Network(receive_bytes=7),
    block_read_bytes=5096,
    block_write_bytes=10192,
    pids=2,
    pids_limit=100,
)


def v1(root: Path, without: tuple[str, ...] = ()) -> V1Reader:
    present = {name: files for name, files in V1.items() if name not in without}
    folders = {name: str(write(root / name, files)) for name, files in present.items()}
    return V1Reader(folders, HOST_MEMORY)


def v2(root: Path, without: tuple[str, ...] = ()) -> V2Reader:
    files = {name: content for name, content in V2.items() if not name.startswith(without)}
    return V2Reader(str(write(root, files)), HOST_MEMORY)


def read(reader: CgroupReader, *, refresh: bool = True) -> Reading:
    reading = reader.read(refresh, Network(receive_bytes=7))
    assert reading is not None
    return reading


def test_v1_reads_every_value(tmp_path: Path) -> None:
    """All values of a v1 container come out in seconds and bytes."""
    reading = read(v1(tmp_path))
    assert reading == replace(
        EXPECTED,
        cpu_seconds=pytest.approx(12.345678901),
        cpu_system_seconds=pytest.approx(2.34),
        cpu_user_seconds=pytest.approx(10.0),
        cpu_throttled_seconds=pytest.approx(2.5),
    )


def test_v2_reads_every_value(tmp_path: Path) -> None:
    """All values of a v2 container come out as those of the same container under v1."""
    reading = read(v2(tmp_path / "c"))
    assert reading == replace(
        EXPECTED,
        cpu_seconds=pytest.approx(12.345678),
        cpu_system_seconds=pytest.approx(2.345678),
    )


def test_v1_without_controllers_leaves_values_open(tmp_path: Path) -> None:
    """Controllers that are not there are None, not zero; only memory usage has a zero."""
    reading = read(v1(tmp_path, without=("cpu", "memory", "blkio", "pids")))
    assert reading.cpu_seconds == pytest.approx(12.345678901)
    assert (reading.memory_usage, reading.working_set) == (0, 0)
    for value in (reading.rss, reading.memory_limit, reading.memory_failures, reading.pids):
        assert value is None
    assert reading.cpu_throttled_seconds is reading.block_read_bytes is None


def test_v2_without_controllers_leaves_values_open(tmp_path: Path) -> None:
    """A v2 cgroup without memory, io and pids still has its CPU time."""
    reading = read(v2(tmp_path / "c", without=("memory", "io", "pids")))
    assert reading.cpu_seconds == pytest.approx(12.345678)
    assert (reading.memory_usage, reading.rss, reading.block_read_bytes) == (0, None, None)
    assert reading.pids is reading.memory_failures is None


def test_v2_without_the_cpu_controller_has_no_throttling(tmp_path: Path) -> None:
    """The kernel counts CPU time without the controller, but no periods."""
    reader = v2(tmp_path / "c")
    (tmp_path / "c/cpu.stat").write_text("usage_usec 5\nuser_usec 3\nsystem_usec 2\n")
    reading = read(reader)
    assert (reading.cpu_seconds, reading.cpu_periods) == (pytest.approx(5e-6), None)


def test_v1_takes_the_file_that_is_there_for_block_io(tmp_path: Path) -> None:
    """Older kernels have no recursive file."""
    reader = v1(tmp_path)
    folder = tmp_path / "blkio"
    (folder / "blkio.throttle.io_service_bytes_recursive").rename(
        folder / "blkio.throttle.io_service_bytes"
    )
    assert read(reader).block_read_bytes == 5096


@pytest.mark.parametrize("value", ["9223372036854771712\n", f"{HOST_MEMORY}\n", "garbage"])
def test_v1_no_limit_is_none(tmp_path: Path, value: str) -> None:
    """Unlimited, or as much as the host has, is no limit."""
    reader = v1(tmp_path)
    (tmp_path / "memory/memory.limit_in_bytes").write_text(value)
    assert read(reader).memory_limit is None


def test_v2_max_is_no_limit(tmp_path: Path) -> None:
    """`max` in memory.max and pids.max means none."""
    reader = v2(tmp_path / "c")
    (tmp_path / "c/memory.max").write_text("max\n")
    (tmp_path / "c/pids.max").write_text("max\n")
    reading = read(reader)
    assert reading.memory_limit is reading.pids_limit is None


def test_an_unknown_host_memory_hides_no_limit() -> None:
    """Where /proc does not tell the host's memory, a limit still is one."""
    assert limit(1 << 30, 0) == 1 << 30


def test_the_working_set_is_never_negative() -> None:
    """The two files are read at two moments; the second may be larger."""
    assert working_set(100, 200) == 0
    assert working_set(100, None) == 100


@pytest.mark.parametrize("build", [v1, v2])
def test_slow_values_are_read_again_only_on_refresh(tmp_path: Path, build: type) -> None:
    """The first reading has them, later ones repeat them until they are asked for."""
    reader = build(tmp_path / "c")
    assert read(reader, refresh=False).pids == 2
    next((tmp_path / "c").rglob("pids.current")).write_text("50\n")
    assert read(reader, refresh=False).pids == 2
    assert read(reader, refresh=True).pids == 50


@pytest.mark.parametrize("build", [v1, v2])
def test_fast_values_are_read_each_time(tmp_path: Path, build: type) -> None:
    """Memory that changes between two readings shows in the second."""
    reader = build(tmp_path / "c")
    read(reader)
    for name in ("memory.usage_in_bytes", "memory.current"):
        for file in (tmp_path / "c").rglob(name):
            file.write_text("99999999\n")
    assert read(reader, refresh=False).memory_usage == 99999999


@pytest.mark.parametrize("build", [v1, v2])
def test_a_removed_cgroup_is_gone_at_the_first_reading(tmp_path: Path, build: type) -> None:
    """A container that ended before it was ever read is told from one without controllers."""
    reader = build(tmp_path / "c")
    shutil.rmtree(tmp_path / "c")
    with pytest.raises(GoneError):
        reader.read(True, None)


@pytest.mark.parametrize("build", [v1, v2])
def test_garbage_in_the_cpu_file_is_no_reading(tmp_path: Path, build: type) -> None:
    """Without CPU time there is no reading, and no exception."""
    reader = build(tmp_path / "c")
    for name in ("cpuacct.usage", "cpu.stat"):
        for file in (tmp_path / "c").rglob(name):
            file.write_text("\x00garbage")
    assert reader.read(True, None) is None


@pytest.mark.parametrize("build", [v1, v2])
def test_descriptors_are_given_back(tmp_path: Path, build: type) -> None:
    """A closed reader holds no file open."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    reader = build(tmp_path / "c")
    read(reader)
    assert len(list(Path("/proc/self/fd").iterdir())) > before
    reader.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
