"""What a client asks about the daemon itself."""

from aiohttp import web

from monitor.simulate.http.answers import object_answer
from monitor.simulate.http.containers import running
from monitor.simulate.http.face import Face
from monitor.simulate.http.node_json import PLUGINS, TLS_INFO
from monitor.simulate.rawjson import (
    API_VERSION,
    CLUSTER_ID,
    ENGINE_VERSION,
    info_json,
    rfc3339,
)

MIN_API_VERSION = "1.24"
_KERNEL = "simulated"
_TOKENS = {"Worker": "SWMTKN-1-simulated-worker", "Manager": "SWMTKN-1-simulated-manager"}
_HAS = (  # what clients warn of where a host lacks it
    "MemoryLimit",
    "SwapLimit",
    "CpuCfsPeriod",
    "CpuCfsQuota",
    "CPUShares",
    "CPUSet",
    "PidsLimit",
    "OomKillDisable",
    "IPv4Forwarding",
    "BridgeNfIptables",
    "BridgeNfIp6tables",
)


async def ping(face: Face, request: web.Request) -> web.Response:
    return web.Response(
        text="" if request.method == "HEAD" else "OK",
        content_type="text/plain",
        headers={
            "Cache-Control": "no-cache, no-store, must-revalidate",
            "Builder-Version": "2",
            "Swarm": "active/manager" if face.is_manager else "active/worker",
        },
    )


async def version(face: Face, request: web.Request) -> web.Response:
    about = {
        "Version": ENGINE_VERSION,
        "ApiVersion": API_VERSION,
        "MinAPIVersion": MIN_API_VERSION,
        "Os": "linux",
        "Arch": "amd64",
        "KernelVersion": _KERNEL,
        "GitCommit": "simulated",
        "GoVersion": "none",
        "BuildTime": "",
    }
    engine = {"Name": "Engine", "Version": ENGINE_VERSION, "Details": _details(about)}
    return object_answer(
        {"Platform": {"Name": "swarm-monitor simulate"}, "Components": [engine], **about}
    )


def _details(about: dict[str, str]) -> dict[str, str]:
    left_out = ("Version",)
    return {key: value for key, value in about.items() if key not in left_out}


async def info(face: Face, request: web.Request) -> web.Response:
    tasks = [task for task in face.tasks_here() if task.has_container]
    up = sum(running(task) for task in tasks)
    raw = info_json(face.node, face.is_manager)
    swarm = raw["Swarm"]
    managers = [node for node in face.store.nodes.values() if node.role == "manager"]
    swarm |= {
        "NodeAddr": "192.0.2.1",
        "Error": "",
        "RemoteManagers": [{"NodeID": node.id, "Addr": "192.0.2.1:2377"} for node in managers],
    }
    if face.is_manager:
        swarm |= {"Nodes": len(face.store.nodes), "Managers": len(managers)}
        swarm["Cluster"] = _cluster(face)
    return object_answer(
        {
            "ID": face.node.id,
            "Containers": len(tasks),
            "ContainersRunning": up,
            "ContainersPaused": 0,
            "ContainersStopped": len(tasks) - up,
            "Images": 0,
            "Driver": "none",
            "LoggingDriver": "none",
            "KernelVersion": _KERNEL,
            "OperatingSystem": "a Swarm simulated by swarm-monitor",
            "OSType": "linux",
            "Architecture": "x86_64",
            "SystemTime": rfc3339(face.store.stamp()),
            "Plugins": _plugins(),
            "Warnings": None,
            **dict.fromkeys(_HAS, True),
            **raw,
        }
    )


def _plugins() -> dict[str, list[str] | None]:
    def named(kind: str) -> list[str]:
        return [name for type_, name in PLUGINS if type_ == kind]

    return {
        "Volume": named("Volume"),
        "Network": named("Network"),
        "Authorization": None,
        "Log": named("Log"),
    }


def _cluster(face: Face) -> dict[str, object]:
    first = min((node.created_ns for node in face.store.nodes.values()), default=0)
    return {
        "ID": CLUSTER_ID,
        "Version": {"Index": 10},
        "CreatedAt": rfc3339(first),
        "UpdatedAt": rfc3339(first),
        "Spec": {
            "Name": "default",
            "Labels": {},
            "Orchestration": {"TaskHistoryRetentionLimit": 5},
            "Raft": {
                "SnapshotInterval": 10_000,
                "KeepOldSnapshots": 0,
                "LogEntriesForSlowFollowers": 500,
                "ElectionTick": 10,
                "HeartbeatTick": 1,
            },
            "Dispatcher": {"HeartbeatPeriod": 5_000_000_000},
            "CAConfig": {"NodeCertExpiry": 7_776_000_000_000_000},
            "TaskDefaults": {},
            "EncryptionConfig": {"AutoLockManagers": False},
        },
        "TLSInfo": TLS_INFO,
        "RootRotationInProgress": False,
        "DefaultAddrPool": ["10.0.0.0/8"],
        "SubnetSize": 24,
        "DataPathPort": 4789,
    }


async def swarm(face: Face, request: web.Request) -> web.Response:
    return object_answer({**_cluster(face), "JoinTokens": _TOKENS})
