"""`GET /info` and `GET /version` to EngineIdentity."""

from monitor.engine.raw import Raw, flag, identifier, part, text, whole
from monitor.model.container import EngineIdentity


def parse_identity(info: Raw, api_version: str) -> EngineIdentity:
    """`api_version` is the one spoken with the engine, say "1.41"."""
    swarm = part(info, "Swarm")
    return EngineIdentity(
        node_id=text(swarm, "NodeID"),
        node_name=identifier(info, "Name", "engine"),
        swarm_state=text(swarm, "LocalNodeState") or "inactive",
        is_manager=flag(swarm, "ControlAvailable"),
        cluster_id=text(part(swarm, "Cluster"), "ID"),
        engine_version=text(info, "ServerVersion"),
        api_version=api_version,
        cgroup_version=text(info, "CgroupVersion") or "1",  # told from API 1.41 on
        cgroup_driver=text(info, "CgroupDriver") or "cgroupfs",
        memory_bytes=whole(info, "MemTotal"),
        cpus=whole(info, "NCPU"),
    )
