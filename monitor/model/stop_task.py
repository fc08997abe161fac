"""Stopping one task's container, so that the Swarm puts another task in its place."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

STOP_TASK = "stop_task"
"""The kind of the command that carries a `StopOrder`."""

LONGEST_GRACE = 24 * 3600
"""Seconds: a stop grace period above that is none that anybody meant."""

_CONTAINER_ID = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[0-9a-zA-Z]{1,64}")


@dataclass(frozen=True, slots=True)
class StopOrder:
    """What a node's agent is told: which container is that task's, as a manager has it.

    container_id: all 64 digits. grace: whole seconds from the stop signal to SIGKILL, which is the
    service's `StopGracePeriod`; None: it sets none, so the container's own holds.
    """

    task_id: str
    service_id: str
    node_id: str
    container_id: str
    grace: int | None = None

    def as_arguments(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def read(arguments: Mapping[str, Any]) -> "StopOrder":
        """ValueError, with a sentence, for arguments that name no one container of one task."""
        ids = {}
        for name in ("task_id", "service_id", "node_id"):
            value = arguments.get(name)
            if not isinstance(value, str) or not _ID.fullmatch(value):
                raise ValueError(f"{name} is no id")
            ids[name] = value
        container_id = arguments.get("container_id")
        if not isinstance(container_id, str) or not _CONTAINER_ID.fullmatch(container_id):
            raise ValueError("container_id is not a container's whole id")
        grace = arguments.get("grace")
        if grace is not None and (type(grace) is not int or not 0 <= grace <= LONGEST_GRACE):
            raise ValueError(f"grace is no whole number of seconds up to {LONGEST_GRACE}")
        return StopOrder(**ids, container_id=container_id, grace=grace)
