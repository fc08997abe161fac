"""File trees that hold an engine of another version, made from a Debian suite by debootstrap.

`python -m tests.real.lab.engine_root sid` builds one (about a minute, 500 MB) and keeps it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from pathlib import Path

from tests.real.lab.errors import LabError
from tests.real.lab.requirements import find_tool
from tests.real.lab.shell import run

CACHE = Path("/var/cache/swarm-monitor-lab")
_MIRROR = "http://deb.debian.org/debian"
_PACKAGES = "docker.io,iptables,iproute2,ca-certificates"


def built(suite: str) -> Path | None:
    """The tree of a Debian suite (sid: engine 28, trixie: 26.1), None where it was not built."""
    root = CACHE / suite
    return root if root.is_dir() else None


def build(suite: str) -> Path:
    """Build the tree of a suite unless it is there; raises LabError where that fails."""
    return build_tree(suite, suite, _PACKAGES)


def build_tree(name: str, suite: str, packages: str) -> Path:
    """Build the tree `name` with packages of a suite, parted by commas, unless it is there.

    Raises LabError where that fails.
    """
    debootstrap = find_tool("debootstrap")
    if debootstrap is None or os.geteuid() != 0:
        raise LabError("a tree of Debian packages needs root and debootstrap (same package)")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        root = CACHE / name
        if not root.is_dir():
            # Under its final name only when whole: a build may be cut short at any point.
            unfinished = CACHE / f"{name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            options = ("--variant=minbase", f"--include={packages}")
            mirror = os.environ.get("SWARM_LAB_MIRROR", _MIRROR)
            run([debootstrap, *options, suite, str(unfinished), mirror], timeout=1200)
            unfinished.rename(root)
    return root


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(build(name))
