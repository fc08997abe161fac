"""What the nodes have room for: what would surely stay pending is not asked for."""

from monitor.decide import words
from monitor.decide.waiting import longest_wait, stuck
from monitor.model.view import ServiceView


def fitting(view: ServiceView, current: int, wanted: int) -> int:
    """`wanted`, or what fits of it; never below `current`. Unknown room never blocks."""
    room = view.room.tasks
    if room is None or wanted <= current:
        return wanted
    return min(wanted, max(room, current))


def room_clause(view: ServiceView) -> str:
    """`4 fit (no node has 0.5 cores free)`."""
    room = view.room
    why = f" ({room.why})" if room.why else ""
    return f"{room.tasks} fit{why}"


def pending_clause(view: ServiceView, now: float) -> str | None:
    """Why nothing more is asked for while tasks wait; None where none waits for long."""
    waiting = stuck(view, now)
    if not waiting:
        return None
    verb = "has" if len(waiting) == 1 else "have"
    age = words.duration(longest_wait(view, now))
    return f"{words.tasks(len(waiting))} {verb} waited for a node for up to {age}"
