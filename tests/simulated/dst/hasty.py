"""What an agent thought was needed of late, beside what it takes away now."""

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from monitor.model.action import ScaleTo
from monitor.model.decision import Decision
from monitor.model.reason import Reason
from tests.simulated.dst.history import Hasty
from tests.simulated.dst.rule_files import WINDOW

if TYPE_CHECKING:
    from tests.simulated.dst.process import FleetProcess

ASKED = ("activation", "tolerance")
"""Stages that say how many replicas the metrics ask for, before anything restrains it."""

BY_BOUNDS = frozenset({Reason.BELOW_MIN, Reason.ABOVE_MAX})


class Wishes:
    """Of one process, by rule and service: when its metrics asked for how many replicas."""

    def __init__(self, process: "FleetProcess") -> None:
        self._process = process
        self._asked: dict[tuple[str, str], deque[tuple[float, float]]] = defaultdict(deque)

    def decided(self, decision: Decision) -> None:
        asked, now = self._asked[decision.rule, decision.service_id], decision.time.mono
        if decision.reason is Reason.SCALED_TO_ZERO_BY_USER:
            asked.clear()  # what comes back from there begins anew
        while asked and asked[0][0] <= now - WINDOW:
            asked.popleft()
        action = decision.action
        if isinstance(action, ScaleTo) and decision.action_name == "scale_down":
            most = max((number for _, number in asked), default=0.0)
            if action.replicas < most and decision.reason not in BY_BOUNDS:
                self._note(decision, action.replicas, most)
        stages = {stage.name: stage.value for stage in decision.stages}
        number = next((stages[name] for name in ASKED if stages.get(name) is not None), None)
        if number is not None:
            asked.append((now, number))

    def _note(self, decision: Decision, replicas: int, most: float) -> None:
        world, name = self._process.world, f"{self._process.name}|{decision.id}"
        what = f"goes down to {replicas}, though within {WINDOW:g} s it took {most:g} to be needed"
        world.note(Hasty(world.now(), name, what))
