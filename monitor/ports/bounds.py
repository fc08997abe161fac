"""The bounds of a scale rule at one moment, as its schedules have them."""

from typing import Protocol

from monitor.model.rule import ScaleRule


class Calendar(Protocol):
    def in_force(self, rule: ScaleRule, wall: float) -> ScaleRule:
        """The rule with the bounds of its active schedules, or the same object without any."""

    def next_change(self, rule: ScaleRule, wall: float) -> float | None:
        """Wall seconds at which another schedule begins or ends; None without schedules."""
