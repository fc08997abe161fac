"""What both readers of cgroup files have in common."""

from typing import Protocol

from monitor.model.usage import Network, Reading

# "No limit" is 2^63 less a page in v1; nothing near it is a limit anybody set.
_UNLIMITED = 1 << 60


class CgroupReader(Protocol):
    """Reads one container's cgroup.

    Every-second values (CPU time, memory and its parts) are read at each call through kept
    descriptors. Slowly changing ones (limits, failures, block I/O, pids, in v1 also user and
    system time and throttling) are read again where `refresh` says so and at the first call.
    """

    def read(self, refresh: bool, network: Network | None) -> Reading | None:
        """One reading with `network` put in as it is; None where CPU time cannot be read.

        `memory_usage` is 0 where there is no memory controller: a process always uses some.
        Raises monitor.usage.files.GoneError where the cgroup is gone.
        """

    def close(self) -> None:
        """Give the descriptors back."""


def limit(value: int | None, host_memory: int) -> int | None:
    """A memory limit in bytes, None where it limits nothing: unlimited, or the host's memory.

    The Engine reports the host's memory where there is no limit (moby daemon/stats_unix.go);
    `host_memory` 0 means unknown.
    """
    if value is None or value >= _UNLIMITED or (host_memory and value >= host_memory):
        return None
    return value


def working_set(usage: int, inactive_file: int | None) -> int:
    """Memory in bytes less the file pages that can be taken back at once; never below zero.

    The two come from two files read one after the other, so the second may be larger.
    """
    return max(usage - (inactive_file or 0), 0)
