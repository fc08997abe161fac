"""What the words of the Engine and the scheduler mean, where a task could not start or waits.

Recorded from engines 20.10; the causes of failed starts come from runc, containerd and dockerd,
whose words changed little over the years. What is not known is `start_failed`.
"""

import re

from monitor.model.cause import Cause, Verdict
from monitor.model.task import Task, TaskState

_NO_NODE = re.compile(r"no suitable node(?: \((?P<why>.*)\))?", re.DOTALL)
_MOVED_OUT = "no longer meets constraints"

# The first that fits counts: the error of a mount names a file that does not exist, too.
_WORDS: tuple[tuple[Cause, re.Pattern[str]], ...] = (
    (
        Cause.MOUNT_MISSING,
        re.compile(
            r"invalid mount config|bind source path does not exist|error while mounting volume"
            r"|failed to mount|error mounting|no such volume",
            re.IGNORECASE,
        ),
    ),
    (
        Cause.PORT_CONFLICT,
        re.compile(
            r"port is already allocated|address already in use|host-mode port already in use"
            r"|ports are not available",
            re.IGNORECASE,
        ),
    ),
    (
        Cause.IMAGE_MISSING,
        re.compile(
            r"no such image|image .* not found|manifest (?:for .* )?(?:not found|unknown)"
            r"|pull access denied|repository does not exist|no matching manifest",
            re.IGNORECASE,
        ),
    ),
    (
        Cause.COMMAND_MISSING,
        re.compile(
            r"executable file not found|exec: .*(?:no such file or directory|permission denied"
            r"|is a directory)|no command specified|exec format error",
            re.IGNORECASE | re.DOTALL,
        ),
    ),
)
_SAY = {
    Cause.MOUNT_MISSING: "what it mounts is not there",
    Cause.PORT_CONFLICT: "a port it publishes on its node is taken",
    Cause.IMAGE_MISSING: "its image could not be had",
    Cause.COMMAND_MISSING: "its command cannot be run",
    Cause.START_FAILED: "its container could not start",
}
_LONGEST = 300


def failed_start(task: Task) -> Verdict | None:
    """Why the task could not start; None where it did start."""
    if task.state is TaskState.REJECTED:
        if _MOVED_OUT in task.error:
            why = "its node no longer satisfies the placement constraints"
            return Verdict(Cause.NO_SUITABLE_NODE, why)
        if (waits := _no_node(task.error)) is not None:
            return waits
    elif task.state is not TaskState.FAILED or not _while_starting(task):
        return None
    for cause, words in _WORDS:
        if words.search(task.error):
            return Verdict(cause, f"{_SAY[cause]}: {_short(task.error)}")
    said = _short(task.error or task.message)
    return Verdict(Cause.START_FAILED, f"{_SAY[Cause.START_FAILED]}: {said}")


def why_waiting(task: Task) -> Verdict | None:
    """Why a task that has not ended waits for a node; None where it does not, or none is told."""
    if task.state > TaskState.PENDING or task.node_id or not task.error:
        return None
    return _no_node(task.error) or Verdict(Cause.NO_SUITABLE_NODE, _short(task.error))


def _while_starting(task: Task) -> bool:
    """`message` is the step at which the node's executor was when it failed.

    A task with a health check counts as starting until it is healthy; if its container ends
    meanwhile, that did start.
    """
    error = task.error
    if "non-zero exit" in error or "unhealthy" in error or error.startswith("No such container"):
        return False
    return task.message in ("preparing", "starting") or error.startswith("starting container")


def _no_node(error: str) -> Verdict | None:
    found = _NO_NODE.search(error)
    if found is None:
        return None
    why = (found["why"] or "").split("; ")
    only_ports = [
        part for part in why if not part.startswith(("scheduling constraints", "1 node not avail"))
    ]
    if only_ports and all(part.startswith("host-mode port") for part in only_ports):
        cause = Cause.PORT_CONFLICT
    else:
        cause = Cause.NO_SUITABLE_NODE
    said = _short("; ".join(why)) or "the scheduler does not say why"
    return Verdict(cause, f"no node may run it: {said}")


def _short(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
