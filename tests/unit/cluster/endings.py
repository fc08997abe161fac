"""Recorded ends of tasks, played to an `Ends` in any order."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from monitor.cluster.ends import Ends
from monitor.engine.parse_event import parse_event
from monitor.engine.parse_node import parse_node
from monitor.engine.parse_service import parse_service
from monitor.engine.parse_task import parse_task
from monitor.model.cause import TaskEnd
from monitor.model.event import Event

_FOLDER = Path(__file__).parent / "recorded"


@dataclass(frozen=True, slots=True)
class Step:
    """What one answer or event brought, parsed. at: wall seconds."""

    at: float
    kind: str
    value: Any


@cache
def recorded(name: str) -> tuple[Step, ...]:
    raw = json.loads((_FOLDER / f"{name}.json").read_text())
    return tuple(
        Step(at, kind, _parsed(kind, value, raw["specs"])) for at, kind, value in raw["steps"]
    )


def _parsed(kind: str, value: Any, specs: list[Any]) -> Any:
    match kind:
        case "event":
            return parse_event(json.dumps(value).encode())
        case "tasks":
            found = (parse_task({**task, "Spec": specs[task["Spec"]]}) for task in value)
            return tuple(task for task in found if task is not None)
        case "service":
            return None if value is None else parse_service(value)
        case "nodes":
            return {node.id: node for node in map(parse_node, value)}
    return value


class Player:
    """Plays steps as the mirror and the streams would tell them."""

    def __init__(self, ends: Ends | None = None) -> None:
        self.ends = ends or Ends()
        self._service: Any = None
        self._tasks: tuple[Any, ...] | None = ()
        self._waiting: tuple[Any, ...] | None = None

    def play(self, step: Step, now: float | None = None) -> None:
        now = step.at if now is None else now
        match step.kind:
            case "event":
                assert isinstance(step.value, Event)
                self.ends.heard(step.value, now)
            case "nodes":
                self.ends.nodes(step.value, now)
            case "cut":
                self.ends.cut(step.value, now)
            case "service" if step.value is None:
                self.ends.service_gone(self._service.id, now)
            case "service":
                self._service = step.value
                self.ends.service(step.value, now)
            case "tasks":
                # A mirror that is told of a service's removal drops its tasks with it.
                self.ends.tasks(self._service, self._tasks, step.value, now)
                self._tasks = step.value


def ended(name: str) -> list[TaskEnd]:
    """All tasks of a recorded service, as its steps came, the oldest first."""
    player = Player()
    for step in recorded(name):
        player.play(step)
    return player.ends.of(name)[::-1]
