"""The simulated Engine API as a client of any kind meets it."""

import asyncio
import json
from typing import Any

import pytest

from tests.unit.simulate.scene import Scene, served

_SPEC: dict[str, Any] = {
    "Name": "web",
    "Labels": None,
    "TaskTemplate": {"ContainerSpec": {"Image": "web:1"}},
    "Mode": {"Replicated": {"Replicas": 2}},
}


async def _created(scene: Scene, **changes: Any) -> str:
    status, answer = await scene.ask("POST", "/services/create", {**_SPEC, **changes})
    assert status == 201, answer
    return str(answer["ID"])


async def test_paths_are_known_with_and_without_a_version() -> None:
    """Versions from the oldest to the newest are served; others and unknown paths are refused."""
    async with served() as scene:
        assert await scene.ask("GET", "/_ping") == (200, "OK")
        assert (await scene.ask("GET", "/v1.41/info"))[1]["Name"] == "m1"
        assert (await scene.ask("GET", "/info"))[1]["Swarm"]["ControlAvailable"] is True
        status, answer = await scene.ask("GET", "/v1.99/info")
        assert status == 400
        assert (
            "client version 1.99 is too new. Maximum supported API version is" in answer["message"]
        )
        assert (await scene.ask("GET", "/v1.12/info"))[0] == 400
        for method, path in (("GET", "/nothing"), ("GET", "/v1.41/x/y"), ("DELETE", "/services")):
            assert await scene.ask(method, path) == (404, {"message": "page not found"})


async def test_a_service_lives_through_the_api() -> None:
    """Created, listed, inspected by name and id's beginning, updated, rolled back and removed."""
    async with served() as scene:
        service_id = await _created(scene)
        await scene.swarm.converged("web")
        _, (listed,) = await scene.ask("GET", "/services", status="true")
        assert listed["ServiceStatus"]["RunningTasks"] == 2
        _, (plain,) = await scene.ask("GET", "/services")
        assert "ServiceStatus" not in plain
        for key in ("web", service_id, service_id[:10]):
            assert (await scene.ask("GET", f"/services/{key}"))[1]["ID"] == service_id
        _, full = await scene.ask("GET", "/services/web", insertDefaults="true")
        assert full["Spec"]["UpdateConfig"]["Parallelism"] == 1
        spec = plain["Spec"]
        spec["TaskTemplate"]["ContainerSpec"]["Image"] = "web:2"
        path, version = f"/services/{service_id}/update", plain["Version"]["Index"]
        assert (await scene.ask("POST", path, spec, version=str(version)))[0] == 200
        status, answer = await scene.ask("POST", path, spec, version=str(version))
        assert status == 500
        assert answer["message"] == "rpc error: code = Unknown desc = update out of sequence"
        _, newest = await scene.ask("GET", "/services/web")
        assert newest["PreviousSpec"]["TaskTemplate"]["ContainerSpec"]["Image"] == "web:1"
        while newest.get("UpdateStatus", {}).get("State") != "updating":
            await asyncio.sleep(0.02)
            _, newest = await scene.ask("GET", "/services/web")
        back = {"version": str(newest["Version"]["Index"]), "rollback": "previous"}
        assert (await scene.ask("POST", path, newest["Spec"], **back))[0] == 200
        _, newest = await scene.ask("GET", "/services/web")
        assert newest["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] == "web:1"
        assert newest["UpdateStatus"]["State"] == "rollback_started"
        assert (await scene.ask("DELETE", "/services/web"))[0] == 200
        status, answer = await scene.ask("DELETE", "/services/web")
        assert (status, answer["message"]) == (404, "service web not found")


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"Name": "-x"}, 400, "valid as a DNS name"),
        ({"TaskTemplate": {"ContainerSpec": {"Image": ""}}}, 400, "image reference"),
        ({"TaskTemplate": {}}, 400, "mismatched Runtime"),
        ({"TaskTemplate": {"PluginSpec": {"Name": "x"}}}, 501, "containers alone"),
        ({"Mode": {"Replicated": {"Replicas": "3"}}}, 400, "invalid JSON: Mode.Replicated"),
        ({"Mode": {"Replicated": {}, "Global": {}}}, 400, "only one service mode"),
    ],
)
async def test_bad_specs_are_refused(changes: dict[str, Any], status: int, words: str) -> None:
    """What managers would not take is refused with their words, and nothing is created."""
    async with served() as scene:
        found, answer = await scene.ask("POST", "/services/create", {**_SPEC, **changes})
        assert found == status
        assert words in answer["message"]
        assert await scene.ask("GET", "/services") == (200, [])


async def test_updates_are_refused_as_managers_do() -> None:
    """A taken name, another name or mode, no previous spec, no number as version, no JSON."""
    async with served() as scene:
        await _created(scene)
        status, answer = await scene.ask("POST", "/services/create", _SPEC)
        assert status == 409
        assert "service web already exists" in answer["message"]

        async def refused(body: Any, status: int, words: str, **params: str) -> None:
            version = str(scene.swarm.service("web").version)
            given = {"version": version, **params}
            found, answer = await scene.ask("POST", "/services/web/update", body, **given)
            assert (found, words in answer["message"]) == (status, True), answer

        await refused({**_SPEC, "Name": "other"}, 501, "renaming services is not supported")
        await refused({**_SPEC, "Mode": {"Global": {}}}, 501, "mode change is not allowed")
        await refused(_SPEC, 400, "does not have a previous spec", rollback="previous")
        await refused(_SPEC, 400, "invalid service version 'x'", version="x")
        await refused([], 400, "invalid JSON")


async def test_lists_are_filtered_as_the_daemon_filters() -> None:
    """Names and ids by their beginning, labels, modes, services, nodes, states; both spellings."""
    async with served() as scene:
        web = await _created(scene, Labels={"tier": "front"})
        await _created(scene, Name="web-admin")
        await _created(scene, Name="all", Mode={"Global": {}})
        for name in ("web", "web-admin", "all"):
            await scene.swarm.converged(name)

        async def names(path: str, **filters: Any) -> list[str]:
            status, found = await scene.ask("GET", path, filters=json.dumps(filters))
            assert status == 200, found
            return sorted(str(one.get("ServiceID") or one["Spec"]["Name"]) for one in found)

        assert await names("/services", name=["web"]) == ["web", "web-admin"]
        assert await names("/services", name={"web-a": True}) == ["web-admin"]
        assert await names("/services", label=["tier=front"]) == ["web"]
        assert await names("/services", label=["tier=back"]) == []
        assert await names("/services", mode=["global"]) == ["all"]
        assert await names("/services", id=[web[:8]]) == ["web"]
        assert await names("/tasks", service=["web"]) == [web, web]
        here = await names("/tasks", service=["web"], node=["m1"])
        there = await names("/tasks", service=["web"], node=["w1", "w2"])
        assert [*here, *there] == [web, web]
        assert await names("/tasks", service=["web"], **{"desired-state": ["shutdown"]}) == []
        assert await names("/tasks", service=["web"], **{"_up-to-date": ["true"]}) == [web, web]
        _, nodes = await scene.ask("GET", "/nodes", filters='{"role":["manager"]}')
        assert [node["Description"]["Hostname"] for node in nodes] == ["m1"]
        status, answer = await scene.ask("GET", "/tasks", filters='{"nope":["x"]}')
        assert (status, answer["message"]) == (400, "invalid filter 'nope'")
        assert (await scene.ask("GET", "/tasks", filters='{"service":["gone"]}'))[0] == 404
        assert (await scene.ask("GET", "/services", filters="{"))[0] == 400


async def test_a_container_taken_away_by_hand_fails_its_task() -> None:
    """The task fails with exit code 137, stays in the slot's history, and another replaces it."""
    async with served(whole=True) as scene:
        await _created(
            scene,
            Mode={"Replicated": {"Replicas": 1}},
            TaskTemplate={
                "ContainerSpec": {"Image": "web:1"},
                "RestartPolicy": {"Condition": "any", "Delay": 0},
            },
        )
        await scene.swarm.converged("web")
        labels = {"label": ["com.docker.swarm.service.name=web"]}
        _, (there,) = await scene.ask("GET", "/containers/json", filters=json.dumps(labels))
        assert there["State"] == "running"
        assert (await scene.ask("DELETE", f"/containers/{there['Id']}"))[0] == 409
        assert (await scene.ask("DELETE", f"/containers/{there['Id']}", force="1"))[0] == 204
        await scene.swarm.converged("web")
        _, tasks = await scene.ask("GET", "/tasks", filters='{"service":["web"]}')
        failed, fresh = sorted(tasks, key=lambda task: task["Version"]["Index"])
        states = sorted((task["Status"]["State"], task["Slot"]) for task in (failed, fresh))
        assert states == [("failed", 1), ("running", 1)]
        errors = [task["Status"].get("Err", "") for task in tasks]
        assert "task: non-zero exit (137)" in errors
        _, answer = await scene.ask("GET", "/containers/0123/json")
        assert answer["message"] == "No such container: 0123"


async def test_events_are_replayed_filtered_and_ended() -> None:
    """`since` replays, `until` ends the stream, filters hold, old spellings are beside the new."""
    async with served() as scene:
        for name in ("w1", "w2"):
            scene.swarm.drain(scene.node_id(name))
        await _created(scene, Mode={"Replicated": {"Replicas": 1}})
        await scene.swarm.converged("web")
        now = f"{scene.swarm.store.stamp() / 1e9:.9f}"

        async def events(**filters: list[str]) -> list[dict[str, Any]]:
            status, text = await scene.ask(
                "GET", "/events", since="0", until=now, filters=json.dumps(filters)
            )
            assert status == 200
            lines = text if isinstance(text, str) else json.dumps(text)
            return [json.loads(line) for line in lines.splitlines()]

        starts = await events(type=["container"], event=["start"])
        assert [event["status"] for event in starts] == ["start"]
        assert starts[0]["from"] == "web:1"
        created = await events(type=["service"], service=["web"])
        assert [event["Action"] for event in created] == ["create"]
        assert "status" not in created[0]
        assert created[0]["scope"] == "swarm"


async def test_nodes_can_be_drained_and_configs_are_guarded() -> None:
    """A stale node version is refused, a drain empties the node; config data cannot change."""
    async with served() as scene:
        await _created(scene, Mode={"Global": {}})
        await scene.swarm.converged("web")
        _, node = await scene.ask("GET", "/nodes/w1")
        spec = {**node["Spec"], "Availability": "drain"}
        path, version = f"/nodes/{node['ID']}/update", node["Version"]["Index"]
        assert (await scene.ask("POST", path, spec, version=str(version - 1)))[0] == 500
        assert (await scene.ask("POST", path, spec, version=str(version)))[0] == 200
        async with asyncio.timeout(10):
            while len(scene.swarm.running("web")) != 2:
                await asyncio.sleep(0.02)
        config = {"Name": "c", "Labels": {}, "Data": "eA=="}
        assert (await scene.ask("POST", "/configs/create", config))[0] == 201
        assert (await scene.ask("POST", "/configs/create", config))[0] == 409
        _, found = await scene.ask("GET", "/configs/c")
        at = str(found["Version"]["Index"])
        changed = {**config, "Data": "eQ=="}
        status, answer = await scene.ask("POST", "/configs/c/update", changed, version=at)
        assert status == 400
        assert "only updates to Labels are allowed" in answer["message"]
