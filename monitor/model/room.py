"""How many tasks of a service the nodes have room for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """An upper estimate: more than `tasks` in all would surely stay pending.

    tasks: counts those already placed; None where nothing limits it, or nobody knows.
    why: one clause on what is short, for people.
    """

    tasks: int | None = None
    why: str = ""


UNKNOWN_ROOM = Room()
