"""A container's network counters: the kernel has them by process, not by cgroup."""

import os
from collections.abc import Iterator
from pathlib import Path

from monitor.model.usage import Network
from monitor.usage.files import slurp
from monitor.usage.layout import id_in

_FIELDS = 16
_MOST_PIDS = 4  # tried of a cgroup: the rest would be no better


class OutOfReachError(Exception):
    """No process of the container can be seen under this /proc."""


class NetworkReader:
    """Reads `/proc/PID/net/dev`, which needs no privilege beyond seeing the process."""

    def __init__(self, proc_root: Path) -> None:
        self._proc = str(proc_root)

    def read(self, container_id: str, pid: int, procs_file: str) -> Network | None:
        """Counters summed over all interfaces but `lo`; None on the host's own network.

        `pid` is the Engine's (0: unknown), `procs_file` the `cgroup.procs` of the container.
        Both may count in another pid namespace than this /proc does, and a number may have gone
        to another process, so each is checked to belong to the container at every call. Raises
        OutOfReachError where none does: the stats API must be asked then.
        """
        for candidate in self._candidates(pid, procs_file):
            if not self._belongs(candidate, container_id):
                continue
            path = f"{self._proc}/{candidate}/net/dev"
            content = slurp(path)
            if content is None:
                continue
            # The host's counters are not the task's. One namespace has one inode for this file.
            if _inode(path) == _inode(f"{self._proc}/1/net/dev"):
                return None
            return sum_interfaces(content)
        raise OutOfReachError(container_id)

    def _candidates(self, pid: int, procs_file: str) -> Iterator[int]:
        if pid > 0:
            yield pid
        listed = [int(word) for word in (slurp(procs_file) or b"").split() if word.isdigit()]
        # 0 stands for a process outside of this process's pid namespace.
        yield from [number for number in listed[:_MOST_PIDS] if number > 0]

    def _belongs(self, pid: int, container_id: str) -> bool:
        content = slurp(f"{self._proc}/{pid}/cgroup") or b""
        return any(
            id_in(part) == container_id
            for line in content.decode(errors="replace").splitlines()
            for part in line.split("/")
        )


def sum_interfaces(content: bytes) -> Network:
    """Sums the lines of a `net/dev` file; lines that are garbage or cut off do not count."""
    sums = [0] * _FIELDS
    for line in content[: content.rfind(b"\n") + 1].splitlines():
        name, colon, rest = line.rpartition(b":")
        values = rest.split()
        if not colon or name.strip() == b"lo" or len(values) < _FIELDS:
            continue
        if all(value.isdigit() for value in values):
            sums = [total + int(value) for total, value in zip(sums, values, strict=False)]
    received, sent = sums[:8], sums[8:]
    return Network(*received[:4], *sent[:4])


def _inode(path: str) -> int | None:
    try:
        return os.stat(path).st_ino  # noqa: PTH116
    except OSError:
        return None
