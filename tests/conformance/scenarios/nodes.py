"""Nodes that are drained or lost. They harm what others stand on."""

from __future__ import annotations

from typing import Any

from tests.conformance.play import Play, Scenario
from tests.conformance.specs import spec
from tests.conformance.views import Raw, ended, runs, task_view
from tests.conformance.world import MANAGERS, NODES


def _on_workers(name: str, replicas: int | None) -> Raw:
    return spec(name, replicas=replicas, node="", Placement={"Constraints": ["node.role==worker"]})


async def _by_node(play: Play, service: str) -> dict[str, int]:
    """Running tasks that shall run, by node."""
    names = {}
    for name in NODES:
        names[(await play.node(name))["ID"]] = name
    found: dict[str, int] = {}
    for task in await play.tasks(service):
        if runs(task):
            found[names[task["NodeID"]]] = found.get(names[task["NodeID"]], 0) + 1
    return found


async def _until_spread(play: Play, service: str, wanted: dict[str, int]) -> None:
    await play.until(
        f"{service} on {wanted}", lambda: _by_node(play, service), lambda found: found == wanted
    )


def _gone_view(task: Raw) -> Any:
    view = task_view(task)
    return [view["state"], view["desired"], view["error"], view["message"]]


async def drained(play: Play) -> None:
    """A drain moves replicas, ends the node's task of a global service, and is told."""
    await play.create(_on_workers("moved", 4))
    await play.create(_on_workers("everywhere", None))
    await _until_spread(play, "moved", {"w1": 2, "w2": 2})
    await _until_spread(play, "everywhere", {"w1": 1, "w2": 1})
    play.note_answer("drained", await play.set_node("w2", Availability="drain"))
    await _until_spread(play, "moved", {"w1": 4})
    await _until_spread(play, "everywhere", {"w1": 1})

    async def left() -> list[Raw]:
        both = await play.tasks("moved") + await play.tasks("everywhere")
        return [task for task in both if task["DesiredState"] != "running"]

    old = await play.until("the old ones' end", left, lambda found: all(map(ended, found)))
    play.note("old tasks", sorted(_gone_view(task) for task in old))
    stale = await play.node("w2")
    play.note_answer("active", await play.set_node("w2", Availability="active"))
    answer = await play.client().ask(
        "POST",
        f"/nodes/{stale['ID']}/update",
        stale["Spec"],
        version=str(stale["Version"]["Index"]),
    )
    play.note_answer("stale", answer)
    await _until_spread(play, "everywhere", {"w1": 1, "w2": 1})
    play.note("not moved back", await _by_node(play, "moved"))
    told = play.tapes.of(["m1"], "node", "name", "w2")
    mine = [one for one in told if "availability.new" in one["Actor"]["Attributes"]]
    play.note("events", [[one["Action"], one["Actor"]["Attributes"]] for one in mine])
    for name in ("moved", "everywhere"):
        await play.client().ask("DELETE", f"/services/{name}")


async def lost(play: Play) -> None:
    """Tasks of a node that is down are replaced, and count as running all the same."""
    await play.create(_on_workers("lost", 2))
    await play.create(_on_workers("lostall", None))
    await _until_spread(play, "lost", {"w1": 1, "w2": 1})
    await _until_spread(play, "lostall", {"w1": 1, "w2": 1})
    before = (await play.node("w2"))["Version"]["Index"]
    await play.world.lose("w2")

    async def state() -> str:
        return str((await play.node("w2"))["Status"]["State"])

    await play.until("w2 is down", state, lambda found: found == "down")
    node = await play.node("w2")
    play.note("node", [node["Status"]["State"], node["Spec"]["Availability"]])
    play.note("version moved", node["Version"]["Index"] > before)

    def replaced(tasks: list[Raw]) -> bool:
        return len(tasks) == 3 and sum(runs(task) for task in tasks) == 2

    tasks = await play.until_tasks("lost", replaced, "a replacement")
    play.note("tasks", sorted(_gone_view(task) for task in tasks))
    every = await play.tasks("lostall")
    play.note("global", sorted(_gone_view(task) for task in every))
    listed = await play.client().get("/services", filters={"name": ["lost"]}, status="true")
    counts = {one["Spec"]["Name"]: one["ServiceStatus"] for one in listed}
    play.note("status", counts)
    await play.world.bring_back("w2")
    await play.until("w2 is back", state, lambda found: found == "ready")

    async def old() -> list[Raw]:
        return [task for task in await play.tasks("lost") if task["DesiredState"] != "running"]

    over = await play.until("the old one's end", old, lambda found: all(map(ended, found)))
    play.note("old task", [_gone_view(task) for task in over])
    await _until_spread(play, "lostall", {"w1": 1, "w2": 1})
    told = play.tapes.of(["m1"], "node", "name", "w2")
    mine = [one for one in told if "state.new" in one["Actor"]["Attributes"]]
    play.note("events", [[one["Action"], one["Actor"]["Attributes"]] for one in mine])
    for name in ("lost", "lostall"):
        await play.client().ask("DELETE", f"/services/{name}")


async def elected(play: Play) -> None:
    """A new leader knows no node at first; tasks run on, whatever is unknown."""
    await play.create(_on_workers("stays", 2))
    await play.create(_on_workers("staysall", None))
    await _until_spread(play, "stays", {"w1": 1, "w2": 1})
    await _until_spread(play, "staysall", {"w1": 1, "w2": 1})
    before = {task["ID"] for name in ("stays", "staysall") for task in await play.tasks(name)}
    leader = await play.leader()
    other = next(name for name in MANAGERS if name != leader)
    begin = len(play.tapes.told[other])
    play.note_answer("demoted", await play.set_node(leader, Role="worker"))

    async def ways() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {name: [] for name in NODES}
        for event in play.tapes.told[other][begin:]:
            said = event["Actor"]["Attributes"]
            if event["Type"] == "node" and "state.new" in said:
                found[said["name"]].append(f"{said['state.old']} to {said['state.new']}")
        return found

    every = await play.until(
        "all nodes' return", ways, lambda found: all(len(way) >= 2 for way in found.values())
    )
    play.note("every node", sorted({str(way[:2]) for way in every.values()}))

    async def said() -> list[Raw]:
        return play.tapes.of([other], "node", "role.new", "worker")

    await play.until("the new role is told", said)
    told = [one for one in play.tapes.told[other][begin:] if one["Type"] == "node"]
    play.note("attributes", sorted({key for one in told for key in one["Actor"]["Attributes"]}))
    # A worker more: it gets its task of the global service once it is in touch.
    after = [*await play.settled("stays", 2, node=other)]
    after += await play.settled("staysall", 3, node=other)
    play.note("the same run on", before <= {task["ID"] for task in after})
    # Whether the demoted node is lost for a moment, and so given its task twice, is the engine's
    # race: what ended there is no matter.
    demoted = (await play.node(leader, other))["ID"]
    told_of = [task for task in after if not (ended(task) and task["NodeID"] == demoted)]
    play.note("tasks", sorted(_gone_view(task) for task in told_of))
    nodes = await play.client(other).get("/nodes")
    status = [node["ManagerStatus"] for node in nodes if "ManagerStatus" in node]
    play.note("managers", sorted([s.get("Leader", False), s["Reachability"]] for s in status))
    play.note_answer("asked as a worker", await play.client(leader).ask("GET", "/services"))
    for name in ("stays", "staysall"):
        await play.client(other).ask("DELETE", f"/services/{name}")


SCENARIOS = (
    Scenario(
        "drained",
        "a drain moves replicas, ends global tasks, is told; a stale node version",
        drained,
        alone=True,
    ),
    Scenario(
        "node_lost",
        "a node is lost: tasks replaced, still counted as running, found dead when it is back",
        lost,
        alone=True,
    ),
    # The last: it leaves the Swarm with two managers.
    Scenario(
        "elected",
        "a new leader: every node is unknown for a moment, tasks run on",
        elected,
        alone=True,
    ),
)
