"""A Swarm config: an object of the managers' store whose labels can be changed by version."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Config:
    """`raw` is the whole object as the Engine gave it; its `Spec` is what must be posted back."""

    id: str
    name: str
    version: int
    labels: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
