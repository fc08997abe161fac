"""An agent that the Swarm starts again and again, and that is killed each time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from tests.real import fleet
from tests.real.lab import ApiError, LabError, Node


@contextlib.contextmanager
def kept_away(node: Node) -> Iterator[Callable[[], int]]:
    """SIGKILL for the node's agent whenever it runs; gives how often. It may come back after."""
    ended, times = threading.Event(), [0]
    faults: list[BaseException] = []

    def kill() -> None:
        try:
            while not ended.wait(0.1):
                # Between two containers there is none, and it may end before the signal comes.
                with contextlib.suppress(LabError, ApiError, OSError):
                    fleet.kill_agent(node)
                    times[0] += 1
        except BaseException as error:
            faults.append(error)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield lambda: times[0]
    finally:
        ended.set()
        thread.join(30)
    if faults:
        raise faults[0]
