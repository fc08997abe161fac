"""Whose the stored state is, how old it is, and what time it was when it was written."""

from collections.abc import Mapping
from typing import Any

from monitor.model.now import Now

LEFT_OVER_AFTER = 15.0
"""Seconds without a change after which the state of a later term is no living agent's: a lease
is lost after 10 s, so its agent is gone and the terms were begun anew."""

WATCHED_WITHIN = 15.0
"""Seconds between two looks within which an agent has seen by itself when a state was written."""


class Provenance:
    """Of the state last read or written. agent: this one's name, another one in each run.

    A state says by whom it was written, under which term, as that agent's how many-th.
    """

    def __init__(self, agent: str) -> None:
        self.agent = agent
        self.serial = 0
        self.name: tuple[object, object, object] | None = None
        self._since = 0.0
        self._wall = 0.0
        self._looked_at: float | None = None
        self._term: tuple[int, float] | None = None

    @property
    def term(self) -> int:
        """The term under which it was written; 0 where that is not known."""
        term = self.name[1] if self.name is not None else 0
        return term if isinstance(term, int) else 0

    @property
    def looked(self) -> bool:
        """Whether the store was read at all, whatever was there."""
        return self._looked_at is not None

    def envelope(self, term: int) -> dict[str, Any]:
        """What says whose the next state is that this agent writes."""
        self.serial += 1
        return {"term": term, "by": self.agent, "serial": self.serial}

    def acting(self, term: int, now: Now) -> None:
        """This agent has that term now."""
        if self._term is None or self._term[0] != term:
            self._term = (term, now.mono)

    def saw(self, state: Mapping[str, Any] | None, now: Now) -> bool:
        """The state was read, or written, just now. Returns whether it is another one.

        An agent that looks all the time knows by its own monotonic clock when a state was
        written, whatever the wall clocks say. One that starts has those alone to go by; then no
        less time has passed since it was written than none.
        """
        looked_at, self._looked_at = self._looked_at, now.mono
        name = None if state is None else (state.get("by"), state.get("term"), state.get("serial"))
        if name == self.name or state is None:
            self.name = name
            return False
        self.name, self._since = name, now.mono
        wall = state.get("wall")
        if isinstance(wall, bool) or not isinstance(wall, int | float):
            self._wall = now.wall
        elif looked_at is not None and now.mono - looked_at <= WATCHED_WITHIN:
            self._wall = float(wall)
        else:
            self._wall = max(now.wall, float(wall))
        return True

    def as_written(self, now: Now) -> Now:
        """`now` with the wall clock of whoever wrote it, as far as that can be told."""
        return Now(now.mono, self._wall + now.mono - self._since)

    def is_newest_own(self, state: Mapping[str, Any]) -> bool:
        return self.is_own(state) and state.get("serial") == self.serial

    def is_own(self, state: Mapping[str, Any]) -> bool:
        return bool(state.get("by") == self.agent)

    def is_later(self, state: Mapping[str, Any], term: int) -> bool:
        """Of another agent that began to act after us; one term is never given to two."""
        stored = state.get("term")
        return not self.is_own(state) and isinstance(stored, int) and stored >= term

    def left_over(self, now: Now) -> bool:
        """Whether nobody wrote for long while this agent has its term."""
        since = self._since if self._term is None else max(self._since, self._term[1])
        return now.mono - since >= LEFT_OVER_AFTER
