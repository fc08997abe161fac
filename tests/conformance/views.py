"""Raw objects of the API as transcripts have them: what clients decide by, without times."""

from __future__ import annotations

from typing import Any

Raw = dict[str, Any]

_ENDED = ("complete", "shutdown", "failed", "rejected", "remove", "orphaned")


def ended(task: Raw) -> bool:
    return task["Status"]["State"] in _ENDED


def runs(task: Raw) -> bool:
    """Whether it does, and shall."""
    return bool(task["Status"]["State"] == task["DesiredState"] == "running")


def image_of(template: Raw) -> str:
    return str(template["ContainerSpec"]["Image"])


def replicas_of(spec: Raw) -> int | None:
    count: int | None = spec["Mode"].get("Replicated", {}).get("Replicas")
    return count


def update_of(raw: Raw) -> Raw:
    return raw.get("UpdateStatus") or {}


def spec_view(spec: Raw | None) -> Raw | None:
    if spec is None:
        return None
    return {
        "image": image_of(spec["TaskTemplate"]),
        "replicas": replicas_of(spec),
        "force": spec["TaskTemplate"].get("ForceUpdate", 0),
        "labels": spec.get("Labels") or {},
    }


def service_view(raw: Raw) -> Raw:
    """Spec, PreviousSpec and UpdateStatus, as far as scenarios change them."""
    update = {
        key: value if key in ("State", "Message") else "set"
        for key, value in update_of(raw).items()
    }
    return {
        "spec": spec_view(raw["Spec"]),
        "previous": spec_view(raw.get("PreviousSpec")),
        "update": update or None,
    }


def task_view(task: Raw) -> Raw:
    """Where it is, what it shall be, how it ended and on what image."""
    status = task["Status"]
    held = status.get("ContainerStatus", {})
    return {
        "task": [task.get("Slot", "node"), task["nth"]],
        "state": status["State"],
        "desired": task["DesiredState"],
        "message": status.get("Message", ""),
        "error": status.get("Err", ""),
        "container": bool(held.get("ContainerID")),
        "exit": held.get("ExitCode"),
        "image": image_of(task["Spec"]),
    }


def task_views(tasks: list[Raw]) -> list[Raw]:
    return [task_view(task) for task in tasks]
