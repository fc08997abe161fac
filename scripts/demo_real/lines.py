"""The show as lines: one for each change, progress every few seconds. For logs and pipes."""

from __future__ import annotations

import time

from scripts.demo_real.display import Scene
from scripts.demo_real.observe import Json, Seen

_PROGRESS_EVERY = 5.0


class Lines:
    """A display that prints lines, each with the seconds since `began` (monotonic)."""

    def __init__(self, began: float) -> None:
        self.began = began
        self._progress_at = 0.0
        self._reason = ""

    def say(self, text: str) -> None:
        first, *more = text.splitlines() or [""]
        print(f"{time.monotonic() - self.began:6.1f} s  {first}", flush=True)
        for line in more:
            print(f"{'':10}{line}", flush=True)

    def begin(self, scene: Scene) -> None:
        self.say(f"{scene.headline.upper()}: {scene.text}")

    def show(self, seen: Seen, demand: float) -> None:
        for decision in seen.new:
            if decision["action"] != "none" or decision["reason"] != self._reason:
                self.say(f"  {mark(decision)} {decision['sentence']}")
            self._reason = decision["reason"]
        if time.monotonic() - self._progress_at >= _PROGRESS_EVERY:
            self._progress_at = time.monotonic()
            each = " ".join("?" if t.cpu is None else f"{t.cpu:.2f}" for t in seen.tasks)
            self.say(
                f"    {seen.running} of {seen.desired} tasks run; demand {demand:.2f} cores;"
                f" cores of each: {each}"
            )

    def close(self) -> None:
        pass


def mark(decision: Json) -> str:
    """A sign before a decision's sentence: up, down, or nothing done."""
    return {"scale_up": "[up]  ", "scale_down": "[down]", "none": "[ -- ]"}.get(
        decision["action"], "[!]"
    )
