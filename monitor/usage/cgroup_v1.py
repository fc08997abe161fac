"""One container's counters from the cgroup v1 hierarchies."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from monitor.model.usage import Network, Reading
from monitor.usage.files import KeptFile, slurp
from monitor.usage.parse import keyed, number, scaled
from monitor.usage.reader import limit, working_set

CONTROLLERS = ("cpuacct", "cpu", "memory", "blkio", "pids")
_TICKS = os.sysconf("SC_CLK_TCK")
_NANO = 1e9


@dataclass(frozen=True, slots=True)
class _Slow:
    """What is read every few seconds only."""

    user: float | None = None
    system: float | None = None
    periods: int | None = None
    throttled_periods: int | None = None
    throttled: float | None = None
    memory_limit: int | None = None
    failures: int | None = None
    block_read: int | None = None
    block_write: int | None = None
    pids: int | None = None
    pids_limit: int | None = None
    oom_kills: int | None = None


class V1Reader:
    """`directories` by controller; those that are missing leave their values None."""

    def __init__(self, directories: Mapping[str, str], host_memory: int) -> None:
        self._directories = directories
        self._host_memory = host_memory
        self._cpu = KeptFile(directories["cpuacct"], "cpuacct.usage")
        memory = directories.get("memory")
        self._usage = KeptFile(memory, "memory.usage_in_bytes") if memory else None
        self._stat = KeptFile(memory, "memory.stat") if memory else None
        self._slow: _Slow | None = None

    def read(self, refresh: bool, network: Network | None) -> Reading | None:
        nanoseconds = number(self._cpu.read() or b"")
        if nanoseconds is None:
            return None
        usage = number((self._usage and self._usage.read()) or b"") or 0
        stat = (self._stat and self._stat.read()) or b""
        slow = self._slow
        if refresh or slow is None:
            slow = self._slow = self._read_slow()
        return Reading(
            cpu_seconds=nanoseconds / _NANO,
            memory_usage=usage,
            working_set=working_set(usage, keyed(stat, b"total_inactive_file")),
            cpu_user_seconds=slow.user,
            cpu_system_seconds=slow.system,
            cpu_periods=slow.periods,
            cpu_throttled_periods=slow.throttled_periods,
            cpu_throttled_seconds=slow.throttled,
            rss=keyed(stat, b"total_rss"),
            cache=keyed(stat, b"total_cache"),
            memory_limit=slow.memory_limit,
            memory_failures=slow.failures,
            network=network,
            block_read_bytes=slow.block_read,
            block_write_bytes=slow.block_write,
            pids=slow.pids,
            pids_limit=slow.pids_limit,
            oom_kills=slow.oom_kills,
        )

    def close(self) -> None:
        for file in (self._cpu, self._usage, self._stat):
            if file is not None:
                file.close()

    def _read_slow(self) -> _Slow:
        times = self._file("cpuacct", "cpuacct.stat")
        throttling = self._file("cpu", "cpu.stat")
        read, written = block_bytes(
            self._file("blkio", "blkio.throttle.io_service_bytes_recursive")
            or self._file("blkio", "blkio.throttle.io_service_bytes")
        )
        return _Slow(
            user=scaled(keyed(times, b"user"), _TICKS),
            system=scaled(keyed(times, b"system"), _TICKS),
            periods=keyed(throttling, b"nr_periods"),
            throttled_periods=keyed(throttling, b"nr_throttled"),
            throttled=scaled(keyed(throttling, b"throttled_time"), _NANO),
            memory_limit=limit(
                number(self._file("memory", "memory.limit_in_bytes")), self._host_memory
            ),
            failures=number(self._file("memory", "memory.failcnt")),
            block_read=read,
            block_write=written,
            pids=number(self._file("pids", "pids.current")),
            pids_limit=number(self._file("pids", "pids.max")),
            # Kernels before 4.13 do not count them.
            oom_kills=keyed(self._file("memory", "memory.oom_control"), b"oom_kill"),
        )

    def _file(self, controller: str, name: str) -> bytes:
        directory = self._directories.get(controller)
        return (slurp(f"{directory}/{name}") if directory else None) or b""


def block_bytes(content: bytes) -> tuple[int | None, int | None]:
    """Bytes read and written over all devices, from lines `major:minor Read 4096`.

    Both None where the content is empty; a file of only `Total 0` is a true zero.
    """
    if not content.endswith(b"\n"):
        content = content[: content.rfind(b"\n") + 1]
    if not content:
        return None, None
    sums = {b"read": 0, b"write": 0}
    for line in content.splitlines():
        words = line.split()
        if len(words) == 3 and (operation := words[1].lower()) in sums:
            sums[operation] += number(words[2]) or 0
    return sums[b"read"], sums[b"write"]
