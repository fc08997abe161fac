"""Puts the processes that are measured before others of the machine."""

import os
from pathlib import Path

NICE = -15


def prefer(pid: int, *, alone: bool = False) -> None:
    """As root; without effect else. Where sessions share the processors (sched(7), autogroup) it
    is the session's value that counts. alone: the process does not lead one: leave that as it is.
    """
    if os.geteuid() != 0:
        return
    os.setpriority(os.PRIO_PROCESS, pid, NICE)
    autogroup = Path(f"/proc/{pid}/autogroup")
    if autogroup.exists() and not alone:
        autogroup.write_text(str(NICE))
