"""Objects of a simulated Swarm as the Engine API spells them."""

import base64
import copy
from datetime import UTC, datetime
from typing import Any

from monitor.model.container import Health
from monitor.model.task import TaskState
from monitor.simulate.announce import container_labels
from monitor.simulate.spec import NANO, image_of, mode_of, replicas_of, resources_of
from monitor.simulate.state import SimConfig, SimNode, SimObject, SimService, SimTask, Spec

API_VERSION = "1.51"
ENGINE_VERSION = "28.5.2"
CLUSTER_ID = "simulatedcluster000000000"


def rfc3339(ns: int) -> str:
    seconds, fraction = divmod(ns, NANO)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"


def _meta(what: SimObject) -> dict[str, Any]:
    return {
        "ID": what.id,
        "Version": {"Index": what.version},
        "CreatedAt": rfc3339(what.created_ns),
        "UpdatedAt": rfc3339(what.updated_ns),
    }


def node_json(node: SimNode) -> dict[str, Any]:
    raw = _meta(node) | {
        "Spec": {
            "Labels": dict(node.labels),
            "Role": node.role,
            "Availability": node.availability.value,
        },
        "Description": {
            "Hostname": node.name,
            "Platform": {"Architecture": "x86_64", "OS": "linux"},
            "Resources": {
                "NanoCPUs": round(node.cpu_cores * NANO),
                "MemoryBytes": node.memory_bytes,
            },
            "Engine": {"EngineVersion": ENGINE_VERSION},
        },
        "Status": {"State": node.state.value, "Addr": "192.0.2.1"},
    }
    if node.role == "manager":
        raw["ManagerStatus"] = {
            **({"Leader": True} if node.leader else {}),
            "Reachability": node.reachability,
            "Addr": "192.0.2.1:2377",
        }
    return raw


def service_json(service: SimService) -> dict[str, Any]:
    """The raw object, as `GET /services/{id}` gives it; a copy of what the store holds."""
    endpoint = copy.deepcopy(service.spec.get("EndpointSpec") or {})
    attached = service.spec["TaskTemplate"].get("Networks") or service.spec.get("Networks")
    published = endpoint.get("Ports")  # without either, managers have nothing to allocate
    raw = _meta(service) | {
        "Spec": copy.deepcopy(service.spec),
        "Endpoint": {"Spec": endpoint if attached or published else {}},
    }
    if published:
        raw["Endpoint"]["Ports"] = copy.deepcopy(published)
    if service.previous_spec is not None:
        raw["PreviousSpec"] = copy.deepcopy(service.previous_spec)
    if service.update_status is not None:
        raw["UpdateStatus"] = dict(service.update_status)
    if service.job_iteration is not None:
        raw["JobStatus"] = {
            "JobIteration": {"Index": service.job_iteration},
            "LastExecution": rfc3339(service.job_execution_ns),
        }
    return raw


def service_status(service: SimService, tasks: list[SimTask]) -> Spec:
    """`ServiceStatus` of the list: running counts also tasks on nodes that are down."""
    mode = mode_of(service.spec)
    wanted = sum(1 for task in tasks if task.desired <= TaskState.RUNNING)
    if mode == "Replicated":
        wanted = replicas_of(service.spec)
    elif mode == "ReplicatedJob":
        wanted = service.spec["Mode"][mode].get("MaxConcurrent", 1)
    return {
        "RunningTasks": sum(1 for task in tasks if task.state is TaskState.RUNNING),
        "DesiredTasks": wanted,
        "CompletedTasks": sum(1 for task in tasks if task.state is TaskState.COMPLETE),
    }


def task_json(task: SimTask) -> dict[str, Any]:
    status: dict[str, Any] = {
        "Timestamp": rfc3339(task.since_ns),
        "State": task.state.label,
        "Message": task.message,
        "PortStatus": {},
    }
    if task.error:
        status["Err"] = task.error
    if task.container_id or task.state is TaskState.REJECTED:
        running = task.state in (TaskState.STARTING, TaskState.RUNNING)
        status["ContainerStatus"] = {
            "ContainerID": task.container_id,
            "PID": 4242 if running else 0,
            "ExitCode": task.exit_code or 0,
        }
    raw = _meta(task) | {
        "Labels": {},
        "Spec": {key: copy.deepcopy(task.spec[key]) for key in task.spec if key != "Runtime"},
        "ServiceID": task.service_id,
        "Status": status,
        "DesiredState": task.desired.label,
    }
    if task.told_slot:
        raw["Slot"] = task.told_slot
    if task.node_id:
        raw["NodeID"] = task.node_id
    if task.job_iteration is not None:
        raw["JobIteration"] = {"Index": task.job_iteration}
    if networks := task.spec.get("Networks"):
        raw["NetworksAttachments"] = [
            attachment_json(str(network.get("Target")), place, task.number)
            for place, network in enumerate(networks)
        ]
    return raw


def attachment_json(network: str, place: int, number: int) -> dict[str, Any]:
    """A task's address in a /16 of the `place`th network of its service."""
    upper, lower = divmod(number % 65_534 + 1, 256)
    return {
        "Network": {"ID": network, "Spec": {"Name": network, "Scope": "swarm"}},
        "Addresses": [f"10.{place + 1}.{upper}.{lower}/16"],
    }


def config_json(config: SimConfig) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "Name": config.name,
        "Labels": dict(config.labels),
        "Data": base64.b64encode(config.data).decode(),
    }
    if config.templating:
        spec["Templating"] = config.templating
    return _meta(config) | {"Spec": spec}


def container_json(task: SimTask, health: Health) -> dict[str, Any]:
    """`GET /containers/{id}/json` of the task's container."""
    running = task.state in (TaskState.STARTING, TaskState.RUNNING)
    cores, memory = resources_of(task.spec, "Limits")
    state: dict[str, Any] = {
        "Status": "running" if running else "exited",
        "Running": running,
        "OOMKilled": task.oom_killed,
        "Pid": 4242 if running else 0,
        "ExitCode": task.exit_code or 0,
        "StartedAt": rfc3339(task.started_ns),
        "FinishedAt": "0001-01-01T00:00:00Z" if running else rfc3339(task.since_ns),
    }
    if health is not Health.NONE:
        state["Health"] = {"Status": health.value, "FailingStreak": 0}
    return {
        "Id": task.container_id,
        "Name": "/" + task.name,
        "State": state,
        "HostConfig": {"NanoCpus": round(cores * NANO), "Memory": memory, "CgroupParent": ""},
        "Config": {"Image": image_of(task.spec), "Labels": container_labels(task)},
    }


def info_json(node: SimNode, is_manager: bool) -> dict[str, Any]:
    return {
        "Name": node.name,
        "ServerVersion": ENGINE_VERSION,
        "MemTotal": node.memory_bytes,
        "NCPU": round(node.cpu_cores),
        "CgroupVersion": "2",
        "CgroupDriver": "systemd",
        "Swarm": {
            "NodeID": node.id,
            "LocalNodeState": "active",
            "ControlAvailable": is_manager,
            "Cluster": {"ID": CLUSTER_ID} if is_manager else {},
        },
    }
