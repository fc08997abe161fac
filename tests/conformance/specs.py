"""Service specs of the scenarios: short delays, so that a real Swarm is done in seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.conformance.world import STEADY

MS = 1_000_000
Raw = dict[str, Any]


def spec(
    name: str,
    *,
    image: str = STEADY,
    replicas: int | None = 1,
    node: str = "w1",
    restart: Raw | None = None,
    update: Raw | None = None,
    labels: dict[str, str] | None = None,
    **template: Any,
) -> Raw:
    """replicas None: global. node: the only one it may run on, "" for any."""
    placement = {"Constraints": [f"node.hostname=={node}"]} if node else {}
    mode: Raw = {"Global": {}} if replicas is None else {"Replicated": {"Replicas": replicas}}
    rolling = {"Parallelism": 1, "Monitor": 300 * MS, "FailureAction": "pause"}
    return {
        "Name": name,
        "Labels": labels or {},
        "TaskTemplate": {
            "ContainerSpec": {"Image": image, "StopGracePeriod": 2000 * MS},
            "RestartPolicy": {"Condition": "any", "Delay": 100 * MS, **(restart or {})},
            "Placement": placement,
            **template,
        },
        "Mode": mode,
        "UpdateConfig": {**rolling, **(update or {})},
        "RollbackConfig": rolling,
    }


def to_image(image: str) -> Callable[[Raw], object]:
    return lambda raw: raw["TaskTemplate"]["ContainerSpec"].update(Image=image)


def to_replicas(count: int) -> Callable[[Raw], object]:
    return lambda raw: raw["Mode"]["Replicated"].update(Replicas=count)


def forced(raw: Raw) -> None:
    template = raw["TaskTemplate"]
    template["ForceUpdate"] = template.get("ForceUpdate", 0) + 1
