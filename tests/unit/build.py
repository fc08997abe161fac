"""Small builders of model values, for tests that care about one or two of their fields."""

from typing import Any

from monitor.model.action import Action
from monitor.model.decision import Decision
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.rule import (
    Basis,
    ConditionKind,
    Metric,
    Quantity,
    RestartRule,
    ScaleRule,
    TaskCondition,
)
from monitor.model.selector import Selector
from monitor.model.service import Service, ServiceMode
from monitor.model.task import Task, TaskState
from monitor.model.usage import MetricKind
from monitor.model.view import ServiceView


def raw_spec(replicas: int = 2) -> dict[str, Any]:
    return {
        "Name": "web",
        "TaskTemplate": {"ContainerSpec": {"Image": "work:1"}, "ForceUpdate": 0},
        "Mode": {"Replicated": {"Replicas": replicas}},
    }


def service(**fields: Any) -> Service:
    replicas = fields.pop("replicas", 2)
    values: dict[str, Any] = {
        "id": "s1",
        "name": "web",
        "version": 10,
        "mode": ServiceMode.REPLICATED,
        "replicas": replicas,
        "template": "t1",
        "raw": {"ID": "s1", "Spec": raw_spec(replicas)},
    }
    return Service(**(values | fields))


def task(number: int, **fields: Any) -> Task:
    values: dict[str, Any] = {
        "id": f"task{number}",
        "service_id": "s1",
        "slot": number,
        "node_id": "n1",
        "state": TaskState.RUNNING,
        "desired_state": TaskState.RUNNING,
        "since": 0.0,
        "created_at": 0.0,
        "template": "t1",
    }
    return Task(**(values | fields))


def view(of: Service | None = None, **fields: Any) -> ServiceView:
    of = of or service()
    values: dict[str, Any] = {
        "service": of,
        "tasks": tuple(task(n + 1, service_id=of.id) for n in range(of.replicas or 0)),
        "nodes": {},
        "version_since": 0.0,
        "tasks_read_at": 0.0,
    }
    return ServiceView(**(values | fields))


def decision(action: Action | None = None, **fields: Any) -> Decision:
    values: dict[str, Any] = {
        "time": Now(100.0, 1_000_000.0),
        "rule": "r1",
        "service_id": "s1",
        "service_name": "web",
        "version": 10,
        "current": 2,
        "desired": 2,
        "action": action,
        "reason": Reason.WITHIN_TOLERANCE,
        "sentence": "web stays at 2",
        "id": "r1/s1/10/1",
    }
    return Decision(**(values | fields))


def scale_rule(**fields: Any) -> ScaleRule:
    values: dict[str, Any] = {
        "name": "r1",
        "selector": Selector(names=("web",)),
        "min": 1,
        "max": 6,
        "metrics": (Metric("cpu", MetricKind.CPU, Quantity(0.5, Basis.AUTO)),),
    }
    return ScaleRule(**(values | fields))


def restart_rule(**fields: Any) -> RestartRule:
    values: dict[str, Any] = {
        "name": "leak",
        "selector": Selector(names=("web",)),
        "when": TaskCondition(ConditionKind.MEMORY_ABOVE, Quantity(0.9, Basis.LIMIT), 60.0),
    }
    return RestartRule(**(values | fields))
