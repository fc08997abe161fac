"""Waits beside the process that owns a lab and removes the lab when that process is gone.

A process of its own, because nothing inside the owner runs after its SIGKILL, and a signal at the
parent's death (prctl PR_SET_PDEATHSIG) comes at the end of the *thread* that started the child.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

from tests.real.lab import reaper

_ROOT = Path(__file__).parents[3]


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start the keeper of this process's lab; it ends by itself once the folder is gone."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.real.lab.keeper", str(folder), str(os.getpid())],
        cwd=_ROOT,
        env={"PATH": os.environ.get("PATH", os.defpath)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a Ctrl-C in the terminal is for the owner
    )


def keep(folder: Path, owner: int) -> None:
    """Return once the owner is gone and the lab removed, or the owner has removed it itself."""
    try:
        handle = os.pidfd_open(owner)
    except ProcessLookupError:
        handle = -1
    poll = select.poll()
    if handle >= 0:
        poll.register(handle, select.POLLIN)
    while folder.exists() and reaper.owner_lives(folder):
        poll.poll(2000)
    if folder.exists():
        reaper.destroy(folder)


if __name__ == "__main__":
    keep(Path(sys.argv[1]), int(sys.argv[2]))
