"""The simulated Swarm's objects as model values, made by the parser that real answers go through.

A value is made once per version: asking again is cheap, also for 10,000 tasks.
"""

from dataclasses import replace

from monitor.engine.parse_config import parse_config
from monitor.engine.parse_container import parse_container
from monitor.engine.parse_identity import parse_identity
from monitor.engine.parse_node import parse_node
from monitor.engine.parse_service import parse_service
from monitor.engine.parse_task import parse_task
from monitor.model.config import Config
from monitor.model.container import Container, EngineIdentity, Health
from monitor.model.node import Node
from monitor.model.service import Service
from monitor.model.task import Task
from monitor.simulate.rawjson import (
    API_VERSION,
    config_json,
    container_json,
    info_json,
    node_json,
    service_json,
    service_status,
    task_json,
)
from monitor.simulate.state import SimConfig, SimNode, SimObject, SimService, SimTask


class Catalogue:
    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._services: dict[str, Service] = {}
        self._tasks: dict[str, Task] = {}

    def forget(self, what: SimObject) -> None:
        for values in (self._nodes, self._services, self._tasks):
            values.pop(what.id, None)

    def node(self, node: SimNode) -> Node:
        known = self._nodes.get(node.id)
        if known is None or known.version != node.version:
            known = self._nodes[node.id] = parse_node(node_json(node))
        return known

    def service(self, service: SimService) -> Service:
        """As inspect gives it: without counts of tasks."""
        known = self._services.get(service.id)
        if known is None or known.version != service.version:
            known = self._services[service.id] = parse_service(service_json(service))
        return known

    def service_listed(self, service: SimService, tasks: list[SimTask]) -> Service:
        """As the list with `status=true` gives it."""
        counts = service_status(service, tasks)
        return replace(
            self.service(service),
            desired_tasks=counts["DesiredTasks"],
            running_tasks=counts["RunningTasks"],
            completed_tasks=counts["CompletedTasks"],
        )

    def task(self, task: SimTask) -> Task:
        known = self._tasks.get(task.id)
        if known is None or known.version != task.version:
            parsed = parse_task(task_json(task))
            assert parsed is not None
            known = self._tasks[task.id] = parsed
        return known

    def config(self, config: SimConfig) -> Config:
        return parse_config(config_json(config))

    def container(self, task: SimTask, health: Health) -> Container:
        parsed = parse_container(container_json(task, health))
        assert parsed is not None
        return parsed

    def identity(self, node: SimNode) -> EngineIdentity:
        return parse_identity(info_json(node, node.role == "manager"), API_VERSION)
