"""How full this node's memory and disk are."""

import os
from pathlib import Path

from monitor.model.usage import Machine
from monitor.usage.files import slurp


class MachineReader:
    """disk: a path on the filesystem that is watched. The root of a container is the engine's own
    data, with images, containers and volumes, so that is what "/" means there.

    Where there is no /proc of a machine (in a simulation), nothing is told of its disk either.
    """

    def __init__(self, proc_root: Path = Path("/proc"), disk: Path = Path("/")) -> None:
        self._meminfo = f"{proc_root}/meminfo"
        self._disk = disk

    def read(self) -> Machine:
        """Shares in use, None where they cannot be read; takes some 50 us."""
        content = slurp(self._meminfo)
        if content is None:
            return Machine()
        return Machine(_memory(content), self._disk_used())

    def _disk_used(self) -> float | None:
        """As `df` has it: of what those who are not root may use."""
        try:
            found = os.statvfs(self._disk)
        except OSError:
            return None
        used = found.f_blocks - found.f_bfree
        all_of_it = used + found.f_bavail
        return used / all_of_it if all_of_it > 0 else None


def _memory(content: bytes) -> float | None:
    """What is not available: caches that the kernel would give up are not in use."""
    found: dict[bytes, int] = {}
    for line in content.splitlines():
        words = line.split()
        if len(words) == 3 and words[1].isdigit():
            found[words[0]] = int(words[1])
    total, available = found.get(b"MemTotal:", 0), found.get(b"MemAvailable:")
    if total <= 0 or available is None:
        return None
    return min(max(1.0 - available / total, 0.0), 1.0)
