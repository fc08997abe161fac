"""What is seen in one moment, and what happened since the moment before."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from monitor.model.decision import Decision
from monitor.model.task import TaskState
from monitor.simulate.state import SimService, SimTask
from monitor.simulate.store import Change
from monitor.simulate.swarm import Swarm
from monitor.web.state import DecisionEntry


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened. at: monotonic seconds. mark: `up`, `down`, `!` (trouble) or ``."""

    at: float
    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One service. demand: cores that it wants as a whole; used: those it gets."""

    name: str
    mode: str
    desired: int
    running: int
    demand: float
    limit: float | None
    update: str


class Watch:
    """Looks at the Swarm, and at what the agent decided, by service name."""

    def __init__(self, swarm: Swarm) -> None:
        self._swarm = swarm
        self._seen: set[str] = set()
        self._news: list[News] = []
        swarm.store.watch(self._on_change)

    def look(
        self, decisions: Mapping[str, Sequence[DecisionEntry]]
    ) -> tuple[list[Row], list[News]]:
        """The services by name, and the news since the last look."""
        for decision in self._fresh(decisions):
            mark = {"scale_up": "up", "scale_down": "down"}.get(decision.action_name, "!")
            self._news.append(News(decision.time.mono, mark, decision.sentence))
        services = sorted(self._swarm.store.services.values(), key=lambda service: service.name)
        news, self._news = sorted(self._news, key=lambda one: one.at), []
        return [self._row(service) for service in services], news

    def _fresh(self, decisions: Mapping[str, Sequence[DecisionEntry]]) -> Iterator[Decision]:
        """Decisions to do something that were not seen yet."""
        for entries in decisions.values():
            for entry in entries:
                if entry.decision.action is not None and entry.decision.id not in self._seen:
                    self._seen.add(entry.decision.id)
                    yield entry.decision

    def _row(self, service: SimService) -> Row:
        tasks = list(self._swarm.store.tasks_of[service.id].values())
        wanted = (service.spec["Mode"].get("Replicated") or {}).get("Replicas")
        limits = (service.spec["TaskTemplate"].get("Resources") or {}).get("Limits") or {}
        return Row(
            name=service.name,
            mode="global" if wanted is None else "replicated",
            desired=sum(task.desired is TaskState.RUNNING for task in tasks)
            if wanted is None
            else wanted,
            running=len(self._swarm.running(service.id)),
            demand=self._swarm.load.demand(service.id, self._swarm.mono()),
            limit=limits["NanoCPUs"] / 1e9 if limits.get("NanoCPUs") else None,
            update=service.update_state or "",
        )

    def _on_change(self, change: Change) -> None:
        new, old = change.new, change.old
        if isinstance(new, SimTask) and isinstance(old, SimTask):
            if new.state is TaskState.FAILED and old.state is not TaskState.FAILED:
                node = self._swarm.store.nodes.get(new.node_id)
                where = f" on {node.name}" if node else ""
                self._news.append(
                    News(
                        self._swarm.mono(),
                        "!",
                        f"{new.service_name}.{new.slot}{where}: {new.error}",
                    )
                )
        elif (
            isinstance(new, SimService)
            and isinstance(old, SimService)
            and new.update_state not in (None, old.update_state)
        ):
            self._news.append(
                News(self._swarm.mono(), "", f"{new.name}: rollout {new.update_state}")
            )


def share(row: Row) -> float | None:
    """What each replica uses of its limit, at most 1; None where there is no limit."""
    if not row.limit or not row.running:
        return None
    return min(1.0, row.demand / row.running / row.limit)


def bar(value: float, width: int) -> str:
    return "█" * math.floor(width * min(1.0, max(0.0, value)) + 0.5)
