"""File trees as kernels and engines leave them, cgroup v1 and v2, for tests without either."""

from collections.abc import Mapping
from pathlib import Path

from monitor.model.container import Container

A = "a" * 63 + "1"
B = "b" * 63 + "2"
HOST_MEMORY = 2046476288

# A container with a limit of 64 MiB, as Linux 5.10 shows it under v1.
V1 = {
    "cpuacct": {
        "cpuacct.usage": "12345678901\n",
        "cpuacct.stat": "user 1000\nsystem 234\n",
        "cgroup.procs": "4242\n4243\n",
    },
    "cpu": {"cpu.stat": "nr_periods 100\nnr_throttled 40\nthrottled_time 2500000000\n"},
    "memory": {
        "memory.usage_in_bytes": "52428800\n",
        "memory.limit_in_bytes": "67108864\n",
        "memory.failcnt": "3\n",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
        "memory.stat": (
            "cache 1000\nrss 2000\nrss_huge 0\nshmem 0\ninactive_file 10\nactive_file 20\n"
            "hierarchical_memory_limit 67108864\ntotal_cache 4096000\ntotal_rss 45000000\n"
            "total_rss_huge 0\ntotal_inactive_anon 0\ntotal_inactive_file 2428800\n"
            "total_active_file 8192\ntotal_unevictable 0\n"
        ),
    },
    "blkio": {
        "blkio.throttle.io_service_bytes_recursive": (
            "8:0 Read 4096\n8:0 Write 8192\n8:0 Sync 4096\n8:0 Async 8192\n8:0 Discard 0\n"
            "8:0 Total 12288\n253:0 Read 1000\n253:0 Write 2000\n253:0 Total 3000\nTotal 15288\n"
        )
    },
    "pids": {"pids.current": "2\n", "pids.max": "100\n"},
}

# The same, as Linux 6.1 shows it under v2.
V2 = {
    "cgroup.procs": "4242\n4243\n",
    "cpu.stat": (
        "usage_usec 12345678\nuser_usec 10000000\nsystem_usec 2345678\n"
        "core_sched.force_idle_usec 0\n"
        "nr_periods 100\nnr_throttled 40\nthrottled_usec 2500000\nnr_bursts 0\nburst_usec 0\n"
    ),
    "memory.current": "52428800\n",
    "memory.max": "67108864\n",
    "memory.events": "low 0\nhigh 0\nmax 17\noom 3\noom_kill 1\noom_group_kill 0\n",
    "memory.stat": (
        "anon 45000000\nfile 4096000\nkernel 1000000\nkernel_stack 32768\npagetables 126976\n"
        "inactive_anon 45000000\nactive_anon 4096\ninactive_file 2428800\nactive_file 8192\n"
        "unevictable 0\nslab 500000\nworkingset_refault_file 0\n"
    ),
    "io.stat": (
        "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n"
        "253:0 rbytes=1000 wbytes=2000 rios=1 wios=1 dbytes=0 dios=0\n"
    ),
    "pids.current": "2\n",
    "pids.max": "100\n",
}

NET_DEV = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast"
    "|bytes    packets errs drop fifo colls carrier compressed\n"
    "    lo:  999999    9999    9    9    0     0          0         0"
    "   999999    9999    9    9    0     0       0          0\n"
    "  eth0:    1000      10    1    2    0     0          0         0"
    "     2000      20    3    4    0     0       0          0\n"
    "  eth1:123456789    100    0    0    0     0          0         0"
    "        5       1    0    0    0     0       0          0\n"
)


def write(folder: Path, files: Mapping[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content)
    return folder


def v1_root(root: Path) -> Path:
    """The mount points of a machine that mounts every controller by itself, and v2 beside."""
    for controller in ("cpu", "cpuacct", "memory", "blkio", "pids", "devices"):
        (root / controller).mkdir(parents=True)
    write(root / "unified", {"cgroup.controllers": "hugetlb\n"})
    return root


def v1_root_together(root: Path) -> Path:
    """As systemd mounts them: cpu and cpuacct in one, and links with the single names."""
    for name in ("cpu,cpuacct", "memory", "blkio", "pids"):
        (root / name).mkdir(parents=True)
    (root / "cpu").symlink_to("cpu,cpuacct")
    (root / "cpuacct").symlink_to("cpu,cpuacct")
    return root


def v2_root(root: Path) -> Path:
    return write(root, {"cgroup.controllers": "cpuset cpu io memory pids\n", "cpu.stat": "x\n"})


def v1_container(root: Path, path: str) -> None:
    for controller, files in V1.items():
        write(root / controller / path, files)


def v2_container(root: Path, path: str) -> None:
    write(root / path, V2)


def process(proc: Path, pid: int, cgroup: str, net_dev: str = NET_DEV) -> None:
    write(proc / str(pid), {"cgroup": cgroup})
    write(proc / str(pid) / "net", {"dev": net_dev})


def container(container_id: str = A, task_id: str = "task1", **fields: object) -> Container:
    values: dict[str, object] = {
        "id": container_id,
        "task_id": task_id,
        "service_id": "service1",
        "service_name": "web",
        "node_id": "node1",
        "started_at": 1.0,
    }
    return Container(**(values | fields))  # type: ignore[arg-type]
