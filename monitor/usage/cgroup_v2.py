"""One container's counters from the unified cgroup hierarchy."""

from dataclasses import dataclass

from monitor.model.usage import Network, Reading
from monitor.usage.files import KeptFile, slurp
from monitor.usage.parse import keyed, number, scaled
from monitor.usage.reader import limit, working_set

_MICRO = 1e6


@dataclass(frozen=True, slots=True)
class _Slow:
    """What is read every few seconds only."""

    memory_limit: int | None = None
    failures: int | None = None
    block_read: int | None = None
    block_write: int | None = None
    pids: int | None = None
    pids_limit: int | None = None
    oom_kills: int | None = None


class V2Reader:
    """`directory` of the container; files of controllers that are off leave their values None."""

    def __init__(self, directory: str, host_memory: int) -> None:
        self._directory = directory
        self._host_memory = host_memory
        self._cpu = KeptFile(directory, "cpu.stat")
        self._usage = KeptFile(directory, "memory.current")
        self._stat = KeptFile(directory, "memory.stat")
        self._slow: _Slow | None = None

    def read(self, refresh: bool, network: Network | None) -> Reading | None:
        cpu = self._cpu.read() or b""
        microseconds = keyed(cpu, b"usage_usec")
        if microseconds is None:
            return None
        usage = number(self._usage.read() or b"") or 0
        stat = self._stat.read() or b""
        slow = self._slow
        if refresh or slow is None:
            slow = self._slow = self._read_slow()
        return Reading(
            cpu_seconds=microseconds / _MICRO,
            memory_usage=usage,
            working_set=working_set(usage, keyed(stat, b"inactive_file")),
            cpu_user_seconds=scaled(keyed(cpu, b"user_usec"), _MICRO),
            cpu_system_seconds=scaled(keyed(cpu, b"system_usec"), _MICRO),
            cpu_periods=keyed(cpu, b"nr_periods"),
            cpu_throttled_periods=keyed(cpu, b"nr_throttled"),
            cpu_throttled_seconds=scaled(keyed(cpu, b"throttled_usec"), _MICRO),
            rss=keyed(stat, b"anon"),
            cache=keyed(stat, b"file"),
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
            file.close()

    def _read_slow(self) -> _Slow:
        events = self._file("memory.events")
        read, written = io_bytes(slurp(f"{self._directory}/io.stat"))
        return _Slow(
            memory_limit=limit(number(self._file("memory.max")), self._host_memory),
            # v2 has no failcnt; the Engine reports the `oom` events in its place
            # (moby daemon/stats_unix.go).
            failures=keyed(events, b"oom"),
            block_read=read,
            block_write=written,
            pids=number(self._file("pids.current")),
            pids_limit=number(self._file("pids.max")),
            oom_kills=keyed(events, b"oom_kill"),
        )

    def _file(self, name: str) -> bytes:
        return slurp(f"{self._directory}/{name}") or b""


def io_bytes(content: bytes | None) -> tuple[int | None, int | None]:
    """Bytes read and written over all devices, from lines `8:0 rbytes=1 wbytes=2 rios=...`.

    Both None where there is no such file; an empty file is a true zero: no I/O yet. A last
    line without its line feed was cut off and does not count.
    """
    if content is None:
        return None, None
    read = written = 0
    for line in content[: content.rfind(b"\n") + 1].splitlines():
        for word in line.split():
            key, _, value = word.partition(b"=")
            if key == b"rbytes":
                read += number(value) or 0
            elif key == b"wbytes":
                written += number(value) or 0
    return read, written
