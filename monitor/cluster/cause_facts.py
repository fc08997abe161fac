"""All that is known about one task's end, as one value."""

from dataclasses import dataclass
from enum import StrEnum

from monitor.cluster.container_past import NOTHING_HEARD, ContainerPast, Remains
from monitor.model.task import Task, TaskState


class Replacement(StrEnum):
    """What put another task template into the service."""

    UPDATE = "update"
    FORCED = "forced"  # nothing but ForceUpdate counted up
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`task` as it was seen last, and what belongs to its end.

    told: what the Swarm was seen to want of it before it had ended; None: nothing but to run.
    gone: the Swarm does not list it any more.
    replaced: what changed the service's template away from the task's, at that time; rule: whose
        restart it was, "" where it was no rule's. stop_rule: whose rule stopped it alone.
    scaled: replicas before and after a scale-down in its time.
    same_again: its place was taken by a task of the very same template.
    drained, down, node_gone: what its node was in its time, at `down` until its end.
    away: its engine was away between the container's end and the node's telling of it.
    """

    task: Task
    node_name: str = ""
    told: TaskState | None = None
    gone: bool = False
    container: ContainerPast = NOTHING_HEARD
    replaced: Replacement | None = None
    rule: str = ""
    stop_rule: str = ""
    scaled: tuple[int, int] | None = None
    same_again: bool = False
    service_gone: bool = False
    drained: bool = False
    down_at: float | None = None
    node_gone: bool = False
    away: bool = False

    @property
    def exit_code(self) -> int | None:
        """As the container's own end told, or what is left of it, else as the node told the
        Swarm."""
        container = self.container
        if container.died_at is not None and container.exit_code is not None:
            return container.exit_code
        if self.remains is not None and self.remains.exit_code is not None:
            return self.remains.exit_code
        return self.task.exit_code

    @property
    def remains(self) -> Remains | None:
        """Where nobody heard its end: what was found of the container afterwards."""
        return self.container.remains if self.container.died_at is None else None

    @property
    def over(self) -> bool:
        """Ended, dropped, or not wanted any more."""
        return self.task.state.ended or self.gone or self.told is not None

    @property
    def ended_at(self) -> float | None:
        """Wall seconds; None where it has not ended, or nobody saw when."""
        if self.container.died_at is not None:
            return self.container.died_at
        if self.remains is not None:
            return self.remains.ended_at
        return self.task.since if self.task.state.ended else None
