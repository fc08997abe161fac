"""Processes of a lab, found by a mark in their environment and ended without mistaking another.

Every process the lab starts, and every process those start, carries `SWARM_LAB=<lab folder>`.
So nothing needs to be written down before a process starts, and a process that took over an old
number is never taken for ours.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

MARK = "SWARM_LAB"


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None where it is gone or a zombie.

    Field 22 of /proc/PID/stat, see proc(5); with the number it names a process for good.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat[stat.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else int(fields[19])


def children(pid: int) -> list[int]:
    """The child processes of `pid`; empty where it is gone."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue
        if int(stat[stat.rindex(")") + 2 :].split()[1]) == pid:
            found.append(int(entry.name))
    return found


def command_name(pid: int) -> str:
    """The short name of a process; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def marked(lab: Path) -> list[int]:
    """All living processes that carry the mark of this lab."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _is_marked(int(entry.name), lab)
    ]


def kill_marked(lab: Path, *, timeout: float = 10) -> list[int]:
    """SIGKILL every process of this lab, wait until they are gone; returns those that stayed."""
    deadline = time.monotonic() + timeout
    while True:
        pids = marked(lab)
        if not pids or time.monotonic() > deadline:
            return pids
        for pid in pids:
            _kill_if_marked(pid, lab)
        time.sleep(0.01)


def _is_marked(pid: int, lab: Path) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return f"{MARK}={lab}".encode() in environment.split(b"\0")


def _kill_if_marked(pid: int, lab: Path) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        # Asked again behind the handle: from here on the number cannot pass to another process.
        if _is_marked(pid, lab):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        os.close(handle)
