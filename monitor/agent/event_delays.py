"""How long it takes until this agent knows what happened to a container on another node."""

from bisect import bisect_left
from collections.abc import Mapping

from monitor.export.facts import DelayFacts
from monitor.model.event import Event

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

ACTIONS = ("die", "oom", "health_status")
"""What rules and people wait for; others only make the histogram say less."""

_DRIFT = 0.001  # seconds per report by which two clocks may drift apart, as for usage
_STEP = 5.0  # seconds; no report takes longer on its way than a clock that was set back


class EventDelays:
    """From an event's own time to its arrival, both by the sender's clock.

    How far that clock is ahead of ours is told by the report that came fastest: the way of that
    one report, some milliseconds, is missing from the delays.
    """

    def __init__(self) -> None:
        self._ahead: dict[str, float] = {}
        self._counts: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    @property
    def facts(self) -> Mapping[str, DelayFacts]:
        """By action."""
        return {
            action: DelayFacts(sum(counts), self._seconds[action], BOUNDS, tuple(counts))
            for action, counts in self._counts.items()
        }

    def reported(self, node_id: str, sent: float, now: float) -> None:
        """A report of this node came. Wall seconds: `sent` by its clock, `now` by ours."""
        ahead = sent - now
        known = self._ahead.get(node_id)
        if known is not None and ahead > known - _STEP:
            ahead = max(ahead, known - _DRIFT)
        self._ahead[node_id] = ahead

    def heard(self, node_id: str, event: Event, now: float) -> None:
        """An event of this node came at `now`, our wall seconds."""
        action = event.action.partition(":")[0]
        ahead = self._ahead.get(node_id)
        if action not in ACTIONS or ahead is None:
            return
        seconds = max(now + ahead - event.time_ns / 1e9, 0.0)
        counts = self._counts.setdefault(action, [0] * (len(BOUNDS) + 1))
        counts[bisect_left(BOUNDS, seconds)] += 1
        self._seconds[action] = self._seconds.get(action, 0.0) + seconds

    def forget(self, node_id: str) -> None:
        """The node is gone: its clock is not followed any more."""
        self._ahead.pop(node_id, None)
