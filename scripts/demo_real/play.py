"""The show itself: quiet, load, calm; each scene ends when the agent has answered to it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from scripts.demo_real.display import Display, Scene
from scripts.demo_real.load import Load
from scripts.demo_real.observe import Json, Observer, Seen
from tests.real.lab import ApiError

# With 0.25 cores at most each and a target of 50%, 0.6 cores are the work of 5 replicas.
QUIET_DEMAND = 0.05
LOAD_DEMAND = 0.6

_STEP = 0.25
_LOOK_EVERY = 1.0
_QUIET = 4.0
# Reasons of decisions that want no more than runs; the demo's rule stabilizes downwards alone.
_CONTENT = ("within_tolerance", "at_max", "stabilized")
_CONTENT_FOR = 4.0
_LOAD_AT_MOST = 45.0
_CALM_AT_MOST = 60.0


@dataclass(slots=True)
class Result:
    """What happened; times in seconds, None for what did not happen.

    load_at     monotonic, when the load began
    first_up    from there to the first scale-up
    at_peak     from there until all replicas of the peak ran
    back        from the end of the load until only one replica ran
    """

    load_at: float = 0.0
    first_up: float | None = None
    at_peak: float | None = None
    back: float | None = None
    peak: int = 1
    decisions: list[Json] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """It really scaled up, and back."""
        return self.first_up is not None and self.peak > 1 and self.back is not None


class Show:
    """Plays the scenes of one run; `result` grows as it goes."""

    def __init__(self, observer: Observer, load: Load, display: Display) -> None:
        self.result = Result()
        self._observer = observer
        self._load = load
        self._display = display

    def play(self) -> None:
        """All scenes. What did not happen in time is missing from the result."""
        self._quiet()
        self._loaded()
        if self.result.first_up is not None:
            self._calm()

    def hold(self) -> None:
        """Go on as things are until interrupted; the demand's file may be edited."""
        for _ in self._looks(lambda: True):
            pass

    def _quiet(self) -> None:
        self._display.begin(
            Scene("Quiet", f"one replica, a demand of {QUIET_DEMAND} cores; the agent watches")
        )
        began = time.monotonic()
        for _ in self._looks(lambda: time.monotonic() - began < _QUIET):
            pass

    def _loaded(self) -> None:
        self._display.begin(
            Scene("Load starts", f"{LOAD_DEMAND} cores are demanded, a replica may use 0.25")
        )
        began = self.result.load_at = self._demand(LOAD_DEMAND)
        content_at: float | None = None
        for seen in self._looks(lambda: time.monotonic() - began < _LOAD_AT_MOST):
            ups = [entry for entry in seen.new if entry["action"] == "scale_up"]
            if ups and self.result.first_up is None:
                self.result.first_up = seen.at - began
            if self._content(seen):
                content_at = content_at or seen.at
                if seen.at - content_at >= _CONTENT_FOR:
                    break
            else:
                content_at = None

    def _content(self, seen: Seen) -> bool:
        """It scaled up, and wants no more than what runs."""
        newest = self.result.decisions[-1:]
        return (
            self.result.first_up is not None
            and seen.running == seen.desired
            and newest != []
            and newest[0]["reason"] in _CONTENT
        )

    def _calm(self) -> None:
        self._display.begin(
            Scene(
                "Calm",
                f"the demand falls to {QUIET_DEMAND} cores; the rule waits until the last 15 s "
                "were calm, and 10 s more",
            )
        )
        began = self._demand(QUIET_DEMAND)
        for seen in self._looks(lambda: time.monotonic() - began < _CALM_AT_MOST):
            if seen.running == seen.desired == 1:
                self.result.back = seen.at - began
                break

    def _demand(self, cores: float) -> float:
        self._load.set(cores)
        self._divide()
        return time.monotonic()

    def _looks(self, go_on: Callable[[], bool]) -> Iterator[Seen]:
        """Divide the demand often, look every second, show and hand over what was seen."""
        look_at = 0.0
        while go_on():
            self._divide()
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + _LOOK_EVERY
                seen = self._observer.look()
                self._remember(seen)
                self._display.show(seen, self._load.demand)
                yield seen
            time.sleep(_STEP)

    def _remember(self, seen: Seen) -> None:
        self.result.decisions += seen.new
        if seen.running > self.result.peak:
            self.result.peak = seen.running
            self.result.at_peak = seen.at - self.result.load_at

    def _divide(self) -> None:
        # Where the engine does not answer the shares stay; `look` gives up where that goes on.
        with contextlib.suppress(OSError, ApiError):
            self._load.divide(self._observer.count_running())
