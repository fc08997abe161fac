"""`GET /containers/{id}/json` to Container."""

from monitor.engine.raw import Raw, flag, identifier, labels, part, ratio, text, wall_seconds, whole
from monitor.model.container import Container, Health

TASK_LABEL = "com.docker.swarm.task.id"

_HEALTH = {health.value: health for health in Health}


def parse_container(raw: Raw) -> Container | None:
    """None where the container belongs to no task of a service."""
    own_labels = labels(part(raw, "Config"), "Labels")
    task_id = own_labels.get(TASK_LABEL, "")
    if not task_id:
        return None
    state, host = part(raw, "State"), part(raw, "HostConfig")
    running = flag(state, "Running")
    ended = not running and wall_seconds(state, "FinishedAt") > 0
    return Container(
        id=identifier(raw, "Id", "container"),
        task_id=task_id,
        service_id=own_labels.get("com.docker.swarm.service.id", ""),
        service_name=own_labels.get("com.docker.swarm.service.name", ""),
        node_id=own_labels.get("com.docker.swarm.node.id", ""),
        task_name=own_labels.get("com.docker.swarm.task.name", ""),
        running=running,
        pid=whole(state, "Pid") if running else 0,
        started_at=wall_seconds(state, "StartedAt"),
        finished_at=wall_seconds(state, "FinishedAt") if ended else 0.0,
        health=_HEALTH.get(text(part(state, "Health"), "Status"), Health.NONE),
        exit_code=whole(state, "ExitCode") if ended else None,
        oom_killed=flag(state, "OOMKilled"),
        tty=flag(part(raw, "Config"), "Tty"),
        cgroup_parent=text(host, "CgroupParent"),
        cpu_limit=_cpu_limit(host),
        memory_limit=_positive(host, "Memory"),
        pids_limit=_positive(host, "PidsLimit"),
        labels=own_labels,
    )


def _cpu_limit(host: Raw) -> float | None:
    if whole(host, "NanoCpus") > 0:
        return ratio(host, "NanoCpus")
    if whole(host, "CpuQuota") <= 0:
        return None
    # CFS's own period is 100 ms (kernel Documentation/scheduler/sched-bwc.rst).
    return ratio(host, "CpuQuota", _positive(host, "CpuPeriod") or 100_000)


def _positive(raw: Raw, key: str) -> int | None:
    value = whole(raw, key)
    return value if value > 0 else None  # 0 and -1 both mean no limit
