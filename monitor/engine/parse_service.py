"""`GET /services` to Service."""

from collections.abc import Mapping
from typing import Any

from monitor.engine.raw import (
    Raw,
    identifier,
    integer,
    labels,
    part,
    parts,
    ratio,
    shared,
    text,
    wall_seconds,
    whole,
)
from monitor.engine.template import deploy, template
from monitor.model.service import (
    SWARM_RESTARTS,
    PublishedPort,
    RestartPolicy,
    Service,
    ServiceMode,
    UpdateState,
)

STACK_LABEL = "com.docker.stack.namespace"

_UPDATE_STATES = {state.value: state for state in UpdateState}


def parse_service(raw: Raw) -> Service:
    """`Service.raw` equals `raw`."""
    spec = part(raw, "Spec")
    task = part(spec, "TaskTemplate")
    container = part(task, "ContainerSpec")
    limits = part(task, "Resources", "Limits")
    reserved = part(task, "Resources", "Reservations")
    update, job = part(raw, "UpdateStatus"), part(raw, "JobStatus")
    counts = part(raw, "ServiceStatus")
    mode, replicas = _mode(part(spec, "Mode"))
    service_labels = labels(spec, "Labels")
    return Service(
        id=identifier(raw, "ID", "service"),
        name=identifier(spec, "Name", "service"),
        version=whole(part(raw, "Version"), "Index"),
        mode=mode,
        replicas=replicas,
        template=template(task),
        image=text(container, "Image") or text(part(task, "PluginSpec"), "remote"),
        stack=service_labels.get(STACK_LABEL, ""),
        labels=service_labels,
        cpu_reservation=ratio(reserved, "NanoCPUs") or None,
        cpu_limit=ratio(limits, "NanoCPUs") or None,
        memory_reservation=whole(reserved, "MemoryBytes") or None,
        memory_limit=whole(limits, "MemoryBytes") or None,
        update_state=_update_state(text(update, "State")),
        update_started_at=wall_seconds(update, "StartedAt") or None,
        update_completed_at=wall_seconds(update, "CompletedAt") or None,
        update_message=text(update, "Message"),
        max_replicas_per_node=whole(part(task, "Placement"), "MaxReplicas"),
        start_period=ratio(part(container, "Healthcheck"), "StartPeriod"),
        has_health_check=_has_health_check(part(container, "Healthcheck")),
        ports=_ports(raw, spec),
        job_iteration=whole(part(job, "JobIteration"), "Index") if job else None,  # 0 is left out
        job_last_execution=wall_seconds(job, "LastExecution") or None,
        # With the status asked for, the daemon leaves zeros in; without it, the whole part out.
        desired_tasks=integer(counts, "DesiredTasks"),
        running_tasks=integer(counts, "RunningTasks"),
        completed_tasks=integer(counts, "CompletedTasks"),
        created_at=wall_seconds(raw, "CreatedAt"),
        updated_at=wall_seconds(raw, "UpdatedAt"),
        deploy=deploy(task),
        restart_policy=_restart_policy(part(task, "RestartPolicy")),
        spreads=bool(part(task, "Placement").get("Preferences")),
        raw=shared(raw),
    )


def _mode(raw: Raw) -> tuple[ServiceMode, int | None]:
    if "Replicated" in raw:
        replicas = integer(part(raw, "Replicated"), "Replicas")
        return ServiceMode.REPLICATED, 1 if replicas is None else replicas
    if "Global" in raw:
        return ServiceMode.GLOBAL, None
    if "ReplicatedJob" in raw:
        return ServiceMode.REPLICATED_JOB, None
    # A mode that this version does not know is best treated as what is never written to.
    return ServiceMode.GLOBAL_JOB, None


def _update_state(state: str) -> UpdateState | None:
    if not state:
        return None
    # A state that this version does not know: hands off, as in a rollout.
    return _UPDATE_STATES.get(state, UpdateState.UPDATING)


def _has_health_check(raw: Raw) -> bool:
    test = raw.get("Test")
    return isinstance(test, list) and test[:1] not in ([], ["NONE"], [""])


def _ports(raw: Raw, spec: Mapping[str, Any]) -> tuple[PublishedPort, ...]:
    # `Endpoint` also has the ports that the Swarm itself picked.
    found = parts(part(raw, "Endpoint"), "Ports") or parts(part(spec, "EndpointSpec"), "Ports")
    return tuple(
        PublishedPort(
            protocol=text(port, "Protocol") or "tcp",
            published=whole(port, "PublishedPort"),
            target=whole(port, "TargetPort"),
            publish_mode=text(port, "PublishMode") or "ingress",
        )
        for port in found
    )


def _restart_policy(raw: Raw) -> RestartPolicy | None:
    """None for what is as the Swarm has it by itself; durations come in nanoseconds."""
    delay = integer(raw, "Delay")
    found = RestartPolicy(
        text(raw, "Condition") or SWARM_RESTARTS.condition,
        whole(raw, "MaxAttempts"),
        SWARM_RESTARTS.delay if delay is None else delay / 1e9,
    )
    return None if found == SWARM_RESTARTS else found
