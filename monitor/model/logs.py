"""The last log lines of an ended task, for services that ask for them by a label."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

LOGS_LABEL = "swarm-monitor.logs"
"""Of a service: how many of the last lines of an ended task's log are shown."""

READ_LOGS = "read_logs"
"""The kind of the command that carries a `LogOrder`."""

MOST_LINES = 100
MOST_LINE_BYTES = 1024
MOST_BYTES = 8 * 1024
"""Of all lines of one task together, as UTF-8; of longer ones the newest count."""

_CONTAINER_ID = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[0-9a-zA-Z]{1,64}")


@dataclass(frozen=True, slots=True)
class TaskLog:
    """lines: the last ones, the oldest first. why: a sentence where there are none to be had."""

    lines: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class LogOrder:
    """Whose log, and how many of its last lines."""

    task_id: str
    service_id: str
    container_id: str
    lines: int

    def as_arguments(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def read(arguments: Mapping[str, Any]) -> "LogOrder":
        """ValueError, with a sentence, for arguments that name no container of a task."""
        task_id, service_id = arguments.get("task_id"), arguments.get("service_id")
        container_id, lines = arguments.get("container_id"), arguments.get("lines")
        if not isinstance(task_id, str) or not _ID.fullmatch(task_id):
            raise ValueError("task_id is no id")
        if not isinstance(service_id, str) or not _ID.fullmatch(service_id):
            raise ValueError("service_id is no id")
        if not isinstance(container_id, str) or not _CONTAINER_ID.fullmatch(container_id):
            raise ValueError("container_id is not a container's whole id")
        if type(lines) is not int or not 1 <= lines <= MOST_LINES:
            raise ValueError(f"lines is no number from 1 to {MOST_LINES}")
        return LogOrder(task_id, service_id, container_id, lines)


def lines_wanted(labels: Mapping[str, str]) -> int | str:
    """How many lines the service's labels ask for; a sentence where they ask for none."""
    text = labels.get(LOGS_LABEL)
    if text is None:
        return f"the service does not ask for log lines: give it the label {LOGS_LABEL}=20"
    if text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MOST_LINES:
        return int(text)
    return f"its label {LOGS_LABEL} is {text[:40]!r}: write a number from 1 to {MOST_LINES}"
