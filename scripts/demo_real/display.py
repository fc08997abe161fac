"""What the show says, and to whom: the protocol of its two displays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from scripts.demo_real.observe import Seen


@dataclass(frozen=True, slots=True)
class Scene:
    """A part of the show: its headline, and one sentence on what to expect."""

    headline: str
    text: str


class Display(Protocol):
    """Tells what happens; the live picture and the lines are both of this kind."""

    def say(self, text: str) -> None:
        """One line that stays."""

    def begin(self, scene: Scene) -> None:
        """A new scene begins."""

    def show(self, seen: Seen, demand: float) -> None:
        """The state about every second; `demand` in cores."""

    def close(self) -> None:
        """Nothing more is shown. May be called again."""
