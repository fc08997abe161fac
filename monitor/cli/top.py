"""`top`: what `status` says, in place and again and again."""

import sys
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from monitor.cli.client import AskError, Call, call
from monitor.cli.show_status import show_status, status_parts

DEADLINE = 5.0
"""Seconds for an answer: a screen that stands still for longer looks like an agent that is well."""


def run_top(agent: str, *, interval: float, once: bool) -> int:
    """Exit code: 0 once it is ended by Ctrl-C; printed once, 1 where the agent cannot be asked.

    interval: seconds between two questions. Without a terminal it prints once.
    """
    console = Console()

    def question() -> Any:
        return call(agent, Call(path="/api/v1/status", deadline=DEADLINE))

    if once or not console.is_terminal:
        return show_once(console, question)
    try:
        show_live(console, question, lambda: time.sleep(interval))
    except KeyboardInterrupt:
        return 0
    return 0


def show_once(console: Console, question: Callable[[], Any]) -> int:
    """Exit code: 0, or 1 where the agent could not be asked."""
    try:
        show_status(console, question())
    except AskError as error:
        print(f"swarm-monitor: {error}", file=sys.stderr)
        return 1
    return 0


def show_live(console: Console, question: Callable[[], Any], pause: Callable[[], None]) -> None:
    """Until something is raised that is no AskError. What does not fit on the screen is cut off.

    pause: waits between two questions. What was answered last stays, marked as old, while there
    is no answer.
    """
    screen = Screen()
    with Live(Text("asking the agent…"), console=console, screen=True, auto_refresh=False) as live:
        while True:
            try:
                screen.answered(question())
            except AskError as error:
                screen.failed(str(error))
            live.update(screen.shown(), refresh=True)
            pause()


class Screen:
    """What was answered last, and why there was no answer since."""

    def __init__(self) -> None:
        self._last: list[RenderableType] = []
        self._why = ""
        self._failures = 0

    def answered(self, status: Any) -> None:
        self._last = status_parts(status)
        self._failures = 0

    def failed(self, why: str) -> None:
        self._why = why
        self._failures += 1

    def shown(self) -> Group:
        if not self._failures:
            return Group(*self._last)
        times = f" ({self._failures} times in a row)" if self._failures > 1 else ""
        head = [Text(f"{self._why}{times}; asking again. Ctrl-C ends.", style="bold red")]
        if self._last:
            head.append(Text("What it said before, which may be over by now:", style="red"))
        return Group(*head, *self._last)
