"""The one field of a service's spec that an action may change."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.model.action import ForceUpdate, Park, ScaleTo, SpecAction, Unpark

Path = tuple[str | int, ...]

ALLOWED: dict[type[SpecAction], Path] = {
    ScaleTo: ("Mode", "Replicated", "Replicas"),
    ForceUpdate: ("TaskTemplate", "ForceUpdate"),
    Park: ("Mode", "Replicated", "Replicas"),
    Unpark: ("Mode", "Replicated", "Replicas"),
}


def changed_spec(spec: Mapping[str, Any], action: SpecAction) -> dict[str, Any]:
    """A copy of the raw `Spec` with the action's field set.

    ForceUpdate counts up from what is there (absent is 0), as `docker service update --force`.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(spec))
    match action:
        case Park():
            changed["Mode"]["Replicated"]["Replicas"] = 0
        case ScaleTo(replicas) | Unpark(replicas):
            changed["Mode"]["Replicated"]["Replicas"] = replicas
        case ForceUpdate():
            template = changed["TaskTemplate"]
            template["ForceUpdate"] = int(template.get("ForceUpdate") or 0) + 1
    return changed


def differences(before: Any, after: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of every value that differs, down to the leaves; [] and null are different."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            if key in before and key in after:
                yield from differences(before[key], after[key], (*path, key))
            else:
                yield (*path, key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, (*path, index))
    elif type(before) is not type(after) or before != after:
        yield path
