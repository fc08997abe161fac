"""Services, tasks, rules and samples for the tests of deciding: small, with plain defaults."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from monitor.model.decision import Decision
from monitor.model.history import History, Recommendation, ScaleEvent
from monitor.model.node import Availability, Node, NodeState
from monitor.model.now import Now
from monitor.model.rule import (
    SCALE_DOWN_DEFAULT,
    SCALE_UP_DEFAULT,
    Basis,
    Behavior,
    Metric,
    Quantity,
    ScaleRule,
)
from monitor.model.scalar import JsonUrl, Number, ScalarMetric
from monitor.model.selector import Selector
from monitor.model.service import Service, ServiceMode
from monitor.model.task import Task, TaskState
from monitor.model.usage import MetricKind, Sample, Usage
from monitor.model.view import ServiceView

NOW = Now(mono=10_000.0, wall=1_700_000_000.0)
VERSION = 42
HALF_CPU = Metric("cpu", MetricKind.CPU, Quantity(0.5, Basis.LIMIT))
LIMIT = 0.1  # cores per task


def service(replicas: int | None = 4, **changes: Any) -> Service:
    plain = Service(
        id="svc", name="web", version=VERSION, mode=ServiceMode.REPLICATED, replicas=replicas,
        template="t", cpu_limit=LIMIT, memory_limit=1 << 30,
    )  # fmt: skip
    return replace(plain, **changes)


def task(slot: int, **changes: Any) -> Task:
    plain = Task(
        id=f"task{slot}", service_id="svc", slot=slot, node_id="n1", state=TaskState.RUNNING,
        desired_state=TaskState.RUNNING, since=0.0, created_at=0.0, template="t",
    )  # fmt: skip
    return replace(plain, **changes)


def node(node_id: str = "n1", state: NodeState = NodeState.READY) -> Node:
    return Node(node_id, node_id, "worker", state, Availability.ACTIVE, 1)


def view(
    replicas: int = 4,
    *,
    tasks: Iterable[Task] | None = None,
    nodes: Iterable[Node] = (),
    of: Service | None = None,
    **changes: Any,
) -> ServiceView:
    """A service that has run unchanged for long, with one running task per replica."""
    everyone = [task(slot) for slot in range(1, replicas + 1)] if tasks is None else tasks
    plain = ServiceView(
        service=service(replicas) if of is None else of,
        tasks=tuple(everyone),
        nodes={"n1": node(), **{one.id: one for one in nodes}},
        version_since=NOW.mono - 1000,
        tasks_read_at=NOW.mono - 1,
    )
    return replace(plain, **changes)


def cpu(
    share: float | Mapping[int, float | None],
    count: int = 4,
    *,
    rising: float | None = None,
    span: float = 15.0,
    age: float = 0.5,
) -> Usage:
    """Samples of each slot's CPU as a share of its limit; None: no sample of that slot."""
    shares = dict.fromkeys(range(1, count + 1), share) if isinstance(share, float) else share
    fast = None if rising is None else rising * LIMIT
    return Usage(
        {
            "cpu": {
                f"task{slot}": Sample(value * LIMIT, age, fast, span)
                for slot, value in shares.items()
                if value is not None
            }
        }
    )


def rule(least: int = 1, most: int = 10, **changes: Any) -> ScaleRule:
    plain = ScaleRule(
        name="web-load", selector=Selector(names=("web",)), min=least, max=most,
        metrics=(HALF_CPU,),
    )  # fmt: skip
    return replace(plain, **changes)


def calm_rule(least: int = 1, most: int = 10, **changes: Any) -> ScaleRule:
    """A rule that scales down at once: no stabilization window."""
    return rule(least, most, scale_down=down(window=0.0), **changes)


def up(**changes: Any) -> Behavior:
    return _behavior(SCALE_UP_DEFAULT, changes)


def down(**changes: Any) -> Behavior:
    return _behavior(SCALE_DOWN_DEFAULT, changes)


def _behavior(default: Behavior, changes: dict[str, Any]) -> Behavior:
    if "window" in changes:
        changes["stabilization_window"] = changes.pop("window")
    return replace(default, **changes)


def history(*past: tuple[float, int], **changes: Any) -> History:
    """Recommendations as (seconds ago, replicas), of a rule that knows the service."""
    recs = tuple(Recommendation(NOW.mono - ago, replicas) for ago, replicas in past)
    return replace(History(started=True, recommendations=recs, own_version=VERSION), **changes)


def event(seconds_ago: float, change: int) -> ScaleEvent:
    return ScaleEvent(NOW.mono - seconds_ago, change)


def stage(decision: Decision, name: str) -> float | None:
    return next(one.value for one in decision.stages if one.name == name)


def condition(decision: Decision, kind: str) -> tuple[bool, str]:
    found = next(one for one in decision.conditions if one.type == kind)
    return found.status, found.reason


def queue(target: float | None = 10.0, **changes: Any) -> ScalarMetric:
    """A number from a URL, read every 10 s."""
    return replace(ScalarMetric("queue", JsonUrl("http://queue/", "length"), target), **changes)


def numbers(
    value: float | None = None, age: float = 1.0, problem: str = "", **more: float
) -> Usage:
    """`queue` with all that can be said of it, and other numbers by their names."""
    found = {"queue": Number(value, age, problem)}
    return Usage(numbers={**found, **{name: Number(one, 1.0) for name, one in more.items()}})


def later(seconds: float) -> Now:
    return Now(NOW.mono + seconds, NOW.wall + seconds)
