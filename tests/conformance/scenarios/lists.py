"""What lists hold, and what is refused."""

from __future__ import annotations

import base64
from typing import Any

from tests.conformance.play import Play, Scenario
from tests.conformance.specs import MS, spec, to_image
from tests.conformance.views import Raw, ended, image_of, runs, task_view
from tests.conformance.world import CRASH, DONE, STEADY


def _names(found: list[Raw]) -> list[str]:
    return sorted(one["Spec"]["Name"] for one in found)


async def filters(play: Play) -> None:
    """Names and ids match by their beginning; labels and unknown kinds as the daemon has them."""
    client = play.client()
    first = await play.create(spec("pre", labels={"tier": "front"}))
    await play.create(spec("pre-other", labels={"tier": "back"}))
    await play.create(spec("pre-all", replicas=None))
    await play.settled("pre", 1)

    async def services(**wanted: list[str]) -> Any:
        answer = await client.ask("GET", "/services", filters=wanted)
        return _names(answer.body) if answer.status == 200 else answer.status

    play.note("name=pre", await services(name=["pre"]))
    play.note("name=pre-o", await services(name=["pre-o"]))
    play.note("name=re-other", await services(name=["re-other"]))
    play.note("id", await services(id=[first[:20]]))
    play.note("label", await services(label=["tier=front"], name=["pre"]))
    play.note("label key", await services(label=["tier"], name=["pre"]))
    play.note("mode", await services(mode=["global"], name=["pre"]))

    async def tasks(**wanted: list[str]) -> Any:
        answer = await client.ask("GET", "/tasks", filters=wanted)
        if answer.status != 200:
            return {"status": answer.status, "message": answer.message.lower()}
        return len(answer.body)

    play.note("tasks of a missing service", await tasks(service=["missing"]))
    play.note("tasks of a missing node", await tasks(node=["missing"]))
    play.note("unknown kind", await tasks(nope=["x"]))
    play.note("unknown state", await tasks(**{"desired-state": ["nope"]}))
    play.note(
        "by service and state", await tasks(service=["pre"], **{"desired-state": ["running"]})
    )
    play.note("by service's label", await tasks(service=["pre", "pre-other"], label=["tier=front"]))
    play.note("by service's other label", await tasks(service=["pre"], label=["tier=back"]))
    play.note("up to date", await tasks(service=["pre"], **{"_up-to-date": ["true"]}))
    play.note("not up to date", await tasks(service=["pre"], **{"_up-to-date": ["false"]}))
    play.note("by name", await tasks(name=["pre.1"], service=["pre"]))


async def node_filters(play: Play) -> None:
    """`label` of nodes is the engines' label, `node.label` the Swarm's."""
    await play.set_node("w2", Labels={"disk": "ssd"})

    async def nodes(**wanted: list[str]) -> Any:
        answer = await play.client().ask("GET", "/nodes", filters=wanted)
        if answer.status != 200:
            return answer.status
        return sorted(node["Description"]["Hostname"] for node in answer.body)

    play.note("node.label", await nodes(**{"node.label": ["disk=ssd"]}))
    play.note("label", await nodes(label=["disk=ssd"]))
    play.note("role", await nodes(role=["worker"]))
    play.note("name", await nodes(name=["w"]))
    play.note("unknown", await nodes(nope=["w"]))
    await play.create(spec("onssd", node="", Placement={"Constraints": ["node.labels.disk==ssd"]}))
    (task,) = await play.settled("onssd", 1)
    play.note("constrained to", task["NodeID"])


async def status(play: Play) -> None:
    """ServiceStatus is in lists that ask for it alone, and never in an inspection."""
    await play.create(spec("counted", replicas=2))
    await play.settled("counted", 2)
    client = play.client()
    (listed,) = await client.get("/services", filters={"name": ["counted"]}, status="true")
    play.note("with status", listed.get("ServiceStatus"))
    (plain,) = await client.get("/services", filters={"name": ["counted"]})
    play.note("without", plain.get("ServiceStatus"))
    inspected = await client.get("/services/counted", status="true")
    play.note("inspected", inspected.get("ServiceStatus"))


async def history(play: Play) -> None:
    """A slot keeps five tasks; the desired state filters the history away."""
    await play.create(spec("history", image=CRASH, restart={"Delay": 50 * MS}))

    async def crashed() -> list[str]:
        await play.tasks("history")
        return [name for name, _ in play.container_events("history") if name == "die"]

    await play.until("eight crashes", crashed, lambda found: len(found) >= 8)
    await play.update("history", to_image(STEADY))

    def steady(task: Raw) -> bool:
        # Of the new image: one that crashes runs as well, for a moment.
        return runs(task) and image_of(task["Spec"]) == STEADY

    def kept(tasks: list[Raw]) -> bool:
        return len(tasks) == 5 and any(map(steady, tasks))

    tasks = await play.until_tasks("history", kept, "five tasks left")
    play.note("running", sum(map(steady, tasks)))
    old = [{**task_view(task), "task": "old"} for task in tasks if ended(task)]
    play.note("states", [old["state"] for old in old if old["state"] != "shutdown"][-1:])
    wanted = {"service": ["history"], "desired-state": ["running"]}
    play.note("desired running", len(await play.client().get("/tasks", filters=wanted)))


async def refused(play: Play) -> None:
    """Mode and name cannot change; what is not there is not found; names are checked."""
    await play.create(spec("refused"))
    await play.settled("refused", 1)
    raw = await play.service("refused")
    play.note_answer("global", await play.write(raw, lambda one: one.update(Mode={"Global": {}})))
    play.note_answer("renamed", await play.write(raw, lambda one: one.update(Name="renamed")))
    play.note_answer("image", await play.write(raw, to_image("")))
    client = play.client()
    play.note_answer("name taken", await client.ask("POST", "/services/create", spec("refused")))
    for name in ("-x", "a b", "a" * 64):
        answer = await client.ask("POST", "/services/create", spec(name))
        play.note_answer(f"name {name[:5]!r}", answer)
    nameless = await client.ask("POST", "/services/create", spec(""))
    found = await client.get(f"/services/{nameless.body['ID']}")
    play.note("without a name", [nameless.status, found["Spec"]["Name"] != ""])
    await client.ask("DELETE", f"/services/{nameless.body['ID']}")
    nowhere = await client.ask("POST", "/services/nowhere/update", raw["Spec"], version="1")
    play.note_answer("nowhere", nowhere)
    for path in (
        "/tasks/nowhere",
        "/nodes/nowhere",
        "/configs/nowhere",
        "/containers/nowhere/json",
    ):
        play.note_answer(path, await client.ask("GET", path))
    play.note_answer("no path", await client.ask("GET", "/nothing"))
    worker = play.client("w1")
    for path in ("/services", "/tasks", "/nodes", "/configs", "/services/refused"):
        play.note_answer(f"worker {path}", await worker.ask("GET", path))
    answer = await worker.ask("POST", f"/services/{raw['ID']}/update", raw["Spec"], version="1")
    play.note_answer("worker update", answer)
    info = await worker.get("/info")
    play.note("worker's info", [info["Swarm"]["ControlAvailable"], info["Swarm"]["LocalNodeState"]])


async def configs(play: Play) -> None:
    """A config's labels change by compare and swap; its data cannot."""
    client, other = play.client(), play.client("m2")
    body = {"Name": "kept", "Labels": {"n": "1"}, "Data": base64.b64encode(b"x").decode()}
    made = await client.ask("POST", "/configs/create", body)
    play.note("created", [made.status, sorted(made.body)])
    play.note_answer("again", await client.ask("POST", "/configs/create", body))
    raw = await client.get("/configs/kept")
    path, version = f"/configs/{raw['ID']}/update", str(raw["Version"]["Index"])
    changed = {**raw["Spec"], "Labels": {"n": "2"}}
    play.note_answer("labels", await client.ask("POST", path, changed, version=version))
    play.note_answer("stale", await client.ask("POST", path, changed, version=version))
    seen = await other.get("/configs/kept")
    play.note("on another manager", [seen["Spec"]["Labels"], seen["Spec"]["Data"]])
    play.note("version moved", seen["Version"]["Index"] > raw["Version"]["Index"])
    newest = str(seen["Version"]["Index"])
    data = {**changed, "Data": base64.b64encode(b"y").decode()}
    play.note_answer("data", await client.ask("POST", path, data, version=newest))
    listed = await client.get("/configs", filters={"name": ["ke"]})
    play.note("by name's beginning", _names(listed))
    play.note_answer("removed", await client.ask("DELETE", "/configs/kept"))
    play.note_answer("removed again", await client.ask("DELETE", "/configs/kept"))

    async def told() -> list[Any]:
        return play.tapes.of(["m1"], "config", "name", "kept")

    events = await play.until("remove told", told, lambda found: len(found) >= 3)
    play.note("events", [[one["Action"], one["Actor"]["Attributes"]] for one in events])


async def jobs(play: Play) -> None:
    """Any update of a job runs it again; its mode and its count of runs are its own."""
    job = spec("job", image=DONE, restart={"Condition": "none"})
    job["Mode"] = {"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 2}}
    del job["UpdateConfig"], job["RollbackConfig"]
    await play.create(job)

    def done(tasks: list[Raw]) -> bool:
        return [task["Status"]["State"] for task in tasks] == ["complete"] * 2

    async def look() -> list[Raw]:
        tasks = await play.tasks("job")
        newest = (await play.service("job"))["JobStatus"]["JobIteration"].get("Index", 0)
        return [t for t in tasks if t.get("JobIteration", {}).get("Index", 0) == newest]

    await play.until("two runs", look, done)
    raw = await play.service("job")
    play.note("iteration", raw["JobStatus"]["JobIteration"].get("Index", 0))
    play.note_answer("same spec", await play.write(raw))
    tasks = await play.until("two more", look, done)
    raw = await play.service("job")
    play.note("iteration then", raw["JobStatus"]["JobIteration"].get("Index", 0))
    play.note("tasks", [[t["DesiredState"], t["Status"]["Message"]] for t in tasks])
    play.note("update status", raw.get("UpdateStatus"))
    (listed,) = await play.client().get("/services", filters={"name": ["job"]}, status="true")
    play.note("status", listed["ServiceStatus"])


SCENARIOS = (
    Scenario(
        "filters", "filters of services and tasks: beginnings, labels, unknown kinds", filters
    ),
    Scenario(
        "node_filters", "`label` and `node.label` of nodes, constraints by label", node_filters
    ),
    Scenario("status", "ServiceStatus is in lists that ask for it alone", status),
    Scenario("history", "a slot keeps five tasks; desired-state filters them away", history),
    Scenario(
        "refused",
        "mode, name, image, names, unknown objects, workers: status and message of each",
        refused,
    ),
    Scenario("configs", "labels of configs by compare and swap; data cannot change", configs),
    Scenario("jobs", "any update of a job runs it again", jobs),
)
