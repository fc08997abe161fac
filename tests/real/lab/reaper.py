"""The folder of a lab, who owns it, and how all of a lab is taken away again.

A lab's name is the name of its folder, and every name the lab gives to anything outside that
folder (network namespaces, cgroups) starts with it. So a lab can be removed by its folder alone,
by whoever finds it.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import time
from pathlib import Path

from tests.real.lab import cgroups, network, processes
from tests.real.lab.errors import LabError
from tests.real.lab.requirements import tool
from tests.real.lab.shell import run

# Not the temporary folder of the environment: socket paths may have 107 characters at most.
BASE = Path("/tmp")
_PREFIX = "swarm-lab-"
_OWNER = "owner.json"


def create_folder(*, in_memory: bool = False) -> Path:
    """Make the folder of a new lab, owned by this process.

    In memory it is a file system of its own (tmpfs): taking away the ten thousands of files of a
    larger image from five engines takes minutes on some disks.
    """
    for number in itertools.count(1):
        folder = BASE / f"{_PREFIX}{os.getpid()}-{number}"
        try:
            folder.mkdir(mode=0o711)
        except FileExistsError:
            continue
        if in_memory:
            run([tool("mount"), "-t", "tmpfs", "-o", "mode=711", "tmpfs", str(folder)])
        owner = {"pid": os.getpid(), "start": processes.start_time(os.getpid()), "pidns": _pidns()}
        (folder / _OWNER).write_text(json.dumps(owner))
        return folder
    raise AssertionError("unreachable")


def owner_lives(folder: Path) -> bool:
    """Whether the process that made this lab still runs; True where that cannot be known."""
    try:
        owner = json.loads((folder / _OWNER).read_text())
    except FileNotFoundError:
        return time.time() - folder.stat().st_mtime < 60  # being made, or half removed
    except ValueError:
        return False
    if owner["pidns"] != _pidns():
        return True  # its numbers mean something else here
    return owner["start"] is not None and processes.start_time(owner["pid"]) == owner["start"]


def destroy(folder: Path) -> None:
    """Remove a lab: processes, cgroups, network namespaces, folder. May be called again.

    Mounts other than the folder's own need no care: they were made in the mount namespaces of
    processes that are gone.
    Raises LabError, naming them, where something stayed.
    """
    prefix = f"{folder.name}."
    left: list[object] = []
    left += processes.kill_marked(folder)
    left += cgroups.remove(prefix)
    left += network.remove(folder.name)
    if not left:
        if folder.is_mount():
            run([tool("umount"), "--lazy", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)
    if left or folder.exists():
        raise LabError(f"lab {folder.name} could not be removed whole, left: {left or [folder]}")


def reap_stale() -> list[str]:
    """Remove the labs whose owner is gone; returns their names."""
    reaped = []
    for folder in sorted(BASE.glob(f"{_PREFIX}*")):
        try:
            stale = folder.is_dir() and not folder.is_symlink() and not owner_lives(folder)
        except FileNotFoundError:
            continue
        if stale:
            destroy(folder)
            reaped.append(folder.name)
    return reaped


def remains(name: str) -> list[str]:
    """What is left of a lab, for tests of the lab itself: empty once it is removed."""
    folder = BASE / name
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    return [
        *(f"process {pid}" for pid in processes.marked(folder)),
        *(f"cgroup {path}" for path in cgroups.folders(f"{name}.")),
        *(f"namespace {entry}" for entry in network.namespaces(name)),
        *(f"mount {line}" for line in mounts if name in line),
        *([f"folder {folder}"] if folder.exists() else []),
    ]


def _pidns() -> str:
    return str(Path("/proc/self/ns/pid").readlink())
