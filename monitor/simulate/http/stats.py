"""`/containers/{id}/stats` out of the simulated load, as cgroup v2 has it."""

from typing import Any

from monitor.simulate.http.face import Face
from monitor.simulate.rawjson import rfc3339
from monitor.simulate.spec import NANO, resources_of
from monitor.simulate.state import SimTask

_NEVER = "0001-01-01T00:00:00Z"
_NO_LIMIT = 2**64 - 1


def stats_json(
    face: Face, task: SimTask, *, running: bool, before: dict[str, Any] | None = None
) -> dict[str, Any]:
    """`before`: the answer before this one in a stream, whose CPU times become `precpu_stats`.

    A container that does not run gets the daemon's stub, whose `read` is the year 1.
    """
    raw: dict[str, Any] = {
        "read": _NEVER,
        "preread": before["read"] if before else _NEVER,
        "name": f"/{task.name}",
        "id": task.container_id,
        "num_procs": 0,
        "storage_stats": {},
        "pids_stats": {},
        "blkio_stats": {"io_service_bytes_recursive": None},
        "cpu_stats": {"cpu_usage": {"total_usage": 0}, "throttling_data": {}},
        "precpu_stats": before["cpu_stats"] if before else {"cpu_usage": {"total_usage": 0}},
        "memory_stats": {},
    }
    if not running:
        return raw
    now = face.swarm.mono()
    node = face.store.nodes.get(task.node_id, face.node)
    _, limit = resources_of(task.spec, "Limits")
    reading = face.swarm.load.reading(task.service_id, task.id, limit or None, now)
    used = round(reading.cpu_seconds * NANO)
    raw["read"] = rfc3339(face.store.stamp())
    raw["cpu_stats"] = {
        "cpu_usage": {
            "total_usage": used,
            "usage_in_kernelmode": used // 5,
            "usage_in_usermode": used - used // 5,
        },
        "system_cpu_usage": round(now * node.cpu_cores * NANO),
        "online_cpus": max(1, round(node.cpu_cores)),
        "throttling_data": {},
    }
    raw["memory_stats"] = {
        "usage": reading.memory_usage,
        "stats": {"inactive_file": reading.memory_usage - reading.working_set},
        "limit": reading.memory_limit or face.node.memory_bytes,
    }
    raw["pids_stats"] = {"current": 1, "limit": _NO_LIMIT}
    return raw
