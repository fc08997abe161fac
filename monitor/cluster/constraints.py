"""Whether a node satisfies a service's placement, as swarmkit's scheduler reads it."""

from collections.abc import Iterable, Mapping
from typing import Any

from monitor.model.node import Node

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def satisfies(node: Node, constraints: Iterable[str]) -> bool:
    """All of `key==value` and `key!=value`; one that cannot be judged here counts as satisfied.

    Values are compared without regard to case, a missing label is "", as the scheduler does.
    `engine.labels` are not part of the node as it is mirrored.
    """
    return not unmet(node, constraints)


def unmet(node: Node, constraints: Iterable[str]) -> str:
    """The first constraint that the node does not satisfy, "" where it does all."""
    return next((one for one in constraints if not _holds(node, one)), "")


def runs_on(node: Node, platforms: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the image has a platform of the node; no platforms means that nobody knows."""
    listed = list(platforms)
    return not listed or any(_same_platform(node, platform) for platform in listed)


def _holds(node: Node, constraint: str) -> bool:
    for operator, equal in (("==", True), ("!=", False)):
        key, found, value = constraint.partition(operator)
        if found:
            actual = _value(node, key.strip())
            return actual is None or (actual.lower() == value.strip().lower()) is equal
    return True


def _value(node: Node, key: str) -> str | None:
    """None where this side cannot tell."""
    label = key.removeprefix("node.labels.")
    if label != key:
        return node.labels.get(label, "")
    return {
        "node.id": node.id,
        "node.hostname": node.name,
        "node.role": node.role,
        "node.platform.os": node.os,
        "node.platform.arch": _ARCHITECTURES.get(node.arch, node.arch),
    }.get(key)


def _same_platform(node: Node, platform: Mapping[str, Any]) -> bool:
    os, arch = str(platform.get("OS") or ""), str(platform.get("Architecture") or "")
    here = _ARCHITECTURES.get(node.arch, node.arch)
    return os in ("", node.os) and _ARCHITECTURES.get(arch, arch) in ("", here)
