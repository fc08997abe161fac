"""Service specs as raw JSON of the Engine API: building them and reading what Swarm reads."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.simulate.state import SimNode, SimService, SimTask, Spec

NANO = 1_000_000_000


def service_spec(
    name: str,
    *,
    image: str = "app:1",
    replicas: int | None = 1,
    cpu_limit: float | None = None,
    cpu_reservation: float | None = None,
    memory_limit: int | None = None,
    memory_reservation: int | None = None,
    labels: Mapping[str, str] | None = None,
    start_period: float | None = None,
    env: Sequence[str] = (),
    constraints: Sequence[str] = (),
    max_replicas_per_node: int = 0,
    networks: Sequence[str] = (),
    update: Mapping[str, Any] | None = None,
    rollback: Mapping[str, Any] | None = None,
    restart: Mapping[str, Any] | None = None,
) -> Spec:
    """A spec with what was asked for and nothing else, as the API client of a person sends it.

    replicas None: a global service. start_period: seconds, of a health check; None: there is
    none. Limits and reservations in cores and bytes. `update` and `rollback` (Parallelism, Delay
    and Monitor in ns, FailureAction, Order...) and `restart` (Condition, Delay in ns,
    MaxAttempts) are raw; what they leave out has swarmkit's default.
    """
    container: Spec = {"Image": image}
    if env:
        container["Env"] = list(env)
    if start_period is not None:
        period = round(start_period * NANO)
        container["Healthcheck"] = {"Test": ["CMD", "healthy"], "StartPeriod": period}
    template: Spec = {"ContainerSpec": container}
    limits = _resources(cpu_limit, memory_limit)
    reservations = _resources(cpu_reservation, memory_reservation)
    if limits or reservations:
        template["Resources"] = {
            **({"Limits": limits} if limits else {}),
            **({"Reservations": reservations} if reservations else {}),
        }
    placement: Spec = {}
    if constraints:
        placement["Constraints"] = list(constraints)
    if max_replicas_per_node:
        placement["MaxReplicas"] = max_replicas_per_node
    if placement:
        template["Placement"] = placement
    if restart is not None:
        template["RestartPolicy"] = dict(restart)
    if networks:
        template["Networks"] = [{"Target": network} for network in networks]
    template["ForceUpdate"] = 0
    mode: Spec = {"Global": {}} if replicas is None else {"Replicated": {"Replicas": replicas}}
    spec: Spec = {"Name": name, "Labels": dict(labels or {}), "TaskTemplate": template}
    spec["Mode"] = mode
    if update is not None:
        spec["UpdateConfig"] = dict(update)
    if rollback is not None:
        spec["RollbackConfig"] = dict(rollback)
    return spec


def _resources(cpu: float | None, memory: int | None) -> Spec:
    found: Spec = {}
    if cpu is not None:
        found["NanoCPUs"] = round(cpu * NANO)
    if memory is not None:
        found["MemoryBytes"] = memory
    return found


def mode_of(spec: Spec) -> str:
    """Replicated, Global, ReplicatedJob or GlobalJob."""
    return str(next(iter(spec.get("Mode") or {"Replicated": {}})))


def replicas_of(spec: Spec) -> int:
    replicated = (spec.get("Mode") or {}).get("Replicated") or {}
    return int(replicated.get("Replicas", 1))


def resources_of(template: Spec, kind: str) -> tuple[float, int]:
    """Cores and bytes of `Limits` or `Reservations`, 0 where unset."""
    found = (template.get("Resources") or {}).get(kind) or {}
    return found.get("NanoCPUs", 0) / NANO, int(found.get("MemoryBytes", 0))


def has_health_check(template: Spec) -> bool:
    """Whether its containers have one; that of an image is not known."""
    test = (template["ContainerSpec"].get("Healthcheck") or {}).get("Test")
    return isinstance(test, list) and test[:1] not in ([], ["NONE"], [""])


def image_of(template: Spec) -> str:
    return str(template["ContainerSpec"]["Image"])


@dataclass(frozen=True, slots=True)
class UpdateConfig:
    """Seconds. swarmkit's defaults: one at a time, watched for 5 s, pause on failure."""

    parallelism: int
    delay: float
    monitor: float
    failure_action: str
    max_failure_ratio: float
    order: str

    @classmethod
    def of(cls, raw: Spec | None) -> "UpdateConfig":
        raw = raw or {"Parallelism": 1}
        return cls(
            parallelism=int(raw.get("Parallelism", 0)),
            delay=raw.get("Delay", 0) / NANO,
            monitor=raw.get("Monitor", 0) / NANO or 5.0,
            failure_action=raw.get("FailureAction", "pause"),
            max_failure_ratio=raw.get("MaxFailureRatio", 0.0),
            order=raw.get("Order", "stop-first"),
        )


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """`delay` and `window` in seconds; `max_attempts` 0 is without bound."""

    condition: str
    delay: float
    max_attempts: int
    window: float

    @classmethod
    def of(cls, template: Spec) -> "RestartPolicy":
        raw = template.get("RestartPolicy") or {}
        delay = raw.get("Delay")
        return cls(
            condition=raw.get("Condition") or "any",
            delay=5.0 if delay is None else delay / NANO,
            max_attempts=raw.get("MaxAttempts") or 0,
            window=(raw.get("Window") or 0) / NANO,
        )


def task_dirty(service: SimService, task: SimTask, node: SimNode | None) -> bool:
    """Whether the task must be replaced to match the service (swarmkit's `IsTaskDirty`)."""
    if task.spec_version == service.spec_version:
        return False
    wanted = _comparable(service.spec["TaskTemplate"])
    had = _comparable(task.spec)
    if wanted != had and _but_constraints(wanted) == _but_constraints(had):
        return node is None or not matches(constraints_of(wanted), node)
    return wanted != had or task.endpoint_spec != service.spec.get("EndpointSpec")


def _comparable(template: Spec) -> Spec:
    """Where the API leaves out a zero, protobuf has it: both are the same template."""
    return {**template, "ForceUpdate": template.get("ForceUpdate") or 0}


def _but_constraints(template: Spec) -> Spec:
    placement = copy.copy(template.get("Placement") or {})
    placement.pop("Constraints", None)
    return {**template, "Placement": placement}


def constraints_of(template: Spec) -> list[str]:
    return list((template.get("Placement") or {}).get("Constraints") or ())


def fits_platform(template: Spec) -> bool:
    """Whether the nodes' platform, linux/x86_64 all of them, is one that the template allows."""
    allowed = (template.get("Placement") or {}).get("Platforms") or ()
    return not allowed or any(
        one.get("OS", "") in ("", "linux")
        and one.get("Architecture", "") in ("", "amd64", "x86_64")
        for one in allowed
    )


def host_ports_of(task: SimTask) -> frozenset[tuple[str, int]]:
    """Protocol and number of the ports that the task takes on its node's host."""
    return frozenset(
        (str(port.get("Protocol") or "tcp"), int(port["PublishedPort"]))
        for port in (task.endpoint_spec or {}).get("Ports") or ()
        if port.get("PublishMode") == "host" and port.get("PublishedPort")
    )


def matches(constraints: Sequence[str], node: SimNode) -> bool:
    """Whether the node meets them all: `node.id`, `.hostname`, `.role`, `.labels.*`, ==, !=."""
    for constraint in constraints:
        negated = "!=" in constraint
        key, _, value = constraint.partition("!=" if negated else "==")
        key, value = key.strip(), value.strip()
        if key.startswith("node.labels."):
            actual = node.labels.get(key.removeprefix("node.labels."), "")
        else:
            known = {"node.id": node.id, "node.hostname": node.name, "node.role": node.role}
            actual = known.get(key, "")
        if (actual == value) is negated:
            return False
    return True
