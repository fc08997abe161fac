"""The cgroup folders that a lab's containers leave behind, in every hierarchy."""

from __future__ import annotations

import os
import time
from pathlib import Path


def mount_points() -> list[Path]:
    """Where cgroup hierarchies are mounted: several on v1 and hybrid machines, one on v2."""
    points = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, point, kind, *_ = line.split()
        if kind in ("cgroup", "cgroup2"):
            points.append(Path(point))
    return points


def folders(prefix: str) -> list[Path]:
    """Top folders in any hierarchy whose names start with `prefix`."""
    return [
        entry
        for point in mount_points()
        for entry in point.glob(f"{prefix}*")
        if entry.is_dir() and not entry.is_symlink()
    ]


def remove(prefix: str, *, timeout: float = 5) -> list[Path]:
    """Remove those folders and all below them; returns those that stayed busy for `timeout` s.

    A cgroup can be removed a moment after its last process is gone, so this tries again.
    """
    deadline = time.monotonic() + timeout
    while True:
        left = [top for top in folders(prefix) if not _remove_tree(top)]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.01)


def _remove_tree(top: Path) -> bool:
    for folder, _, _ in os.walk(top, topdown=False):
        try:
            Path(folder).rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return True
