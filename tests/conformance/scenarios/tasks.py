"""Tasks that end, and tasks that never begin."""

from __future__ import annotations

from tests.conformance.play import Play, Scenario
from tests.conformance.specs import MS, spec, to_replicas
from tests.conformance.views import Raw, ended, task_views
from tests.conformance.world import CRASH, DONE, MISSING


async def ends(play: Play) -> None:
    """Who is replaced after an end: by condition, exit code and attempts."""
    cases = {
        "endsdone": spec("endsdone", image=DONE, restart={"Condition": "on-failure"}),
        "endsnone": spec("endsnone", image=CRASH, restart={"Condition": "none"}),
        "endsthrice": spec(
            "endsthrice", image=CRASH, restart={"Condition": "any", "MaxAttempts": 2}
        ),
    }
    for one in cases.values():
        await play.create(one)
    for name, count in (("endsdone", 1), ("endsnone", 1), ("endsthrice", 3)):
        play.note(name, task_views(await _all_over(play, name, count)))


async def _all_over(play: Play, service: str, count: int) -> list[Raw]:
    return await play.until_tasks(
        service,
        lambda tasks: len(tasks) == count and all(map(_over, tasks)),
        f"{count} ended tasks",
    )


def _over(task: Raw) -> bool:
    return ended(task) and task["DesiredState"] == "shutdown"


async def pending(play: Play) -> None:
    """What fits nowhere waits, and says why; no engine tells of it."""
    much = {"Reservations": {"NanoCPUs": 10**12}}
    vast = {"Reservations": {"MemoryBytes": 10**15}}
    nowhere = ["node.labels.nowhere==yes"]
    cases = {
        "pendcpu": spec("pendcpu", node="", Resources=much),
        "pendmemory": spec("pendmemory", node="", Resources=vast),
        "pendlabel": spec("pendlabel", node="", Placement={"Constraints": nowhere}),
        "pendboth": spec("pendboth", Resources=much),
        "pendevery": spec("pendevery", replicas=None, Resources=vast),
        "pendos": spec(
            "pendos", node="", Placement={"Platforms": [{"OS": "plan9", "Architecture": "mips"}]}
        ),
    }
    for one in cases.values():
        await play.create(one)
    for name in cases:
        found = await play.until_tasks(name, _explained, "an explanation")
        play.note(name, task_views(found))
    play.note("told", [play.container_events(name) for name in cases])
    most = {"Constraints": ["node.hostname==w1"], "MaxReplicas": 1}
    await play.create(spec("pendmost", replicas=2, Placement=most))
    tasks = await play.until_tasks(
        "pendmost",
        lambda found: (
            sorted(t["Status"]["State"] for t in found) == ["pending", "running"]
            and any(t["Status"].get("Err") for t in found)
        ),
        "one running and one pending",
    )
    waits = next(task for task in tasks if task["Status"]["State"] == "pending")
    play.note("pendmost", [waits["Status"].get("Err"), waits["DesiredState"]])
    (listed,) = await play.client().get("/services", filters={"name": ["pendmost"]}, status="true")
    play.note("status", listed["ServiceStatus"])
    # Scaled down, those that do not run go first.
    await play.update("pendmost", to_replicas(1))
    left = await play.until_tasks("pendmost", lambda found: len(found) == 1, "one task left")
    play.note("left", left[0]["Status"]["State"])


def _explained(tasks: list[Raw]) -> bool:
    return len(tasks) == 1 and bool(tasks[0]["Status"].get("Err"))


async def ports(play: Play) -> None:
    """A port that a node's host has given away is given to no second task."""
    endpoint = {
        "Ports": [
            {"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8099, "PublishMode": "host"}
        ]
    }
    one = spec("hostport", replicas=2)
    one["EndpointSpec"] = endpoint
    await play.create(one)
    tasks = await play.until_tasks(
        "hostport",
        lambda found: (
            sorted(t["Status"]["State"] for t in found) == ["pending", "running"]
            and any(t["Status"].get("Err") for t in found)
        ),
        "one running and one pending",
    )
    waits = next(task for task in tasks if task["Status"]["State"] == "pending")
    play.note("waits", [waits["Status"].get("Err"), waits["DesiredState"]])


async def rejected(play: Play) -> None:
    """A task whose image is nowhere is rejected and tried anew, without any container."""
    await play.create(spec("rejected", image=MISSING, restart={"Condition": "none"}))
    tasks = await play.until_tasks(
        "rejected", lambda found: len(found) == 1 and _over(found[0]), "a rejected task"
    )
    play.note("tasks", task_views(tasks))
    play.note("told", play.container_events("rejected"))


async def grace(play: Play) -> None:
    """The stop grace period is the service's alone; a stop is SIGTERM, told as kill and stop."""
    await play.create(spec("grace"))
    (task,) = await play.settled("grace", 1)
    client, container = await play.container_of(task)
    inspected = await client.get(f"/containers/{container}/json")
    play.note("StopTimeout", inspected["Config"].get("StopTimeout"))
    play.note("state", [inspected["State"]["Status"], inspected["State"]["Running"]])
    play.note("name", inspected["Name"])
    play.note("grace", task["Spec"]["ContainerSpec"]["StopGracePeriod"])
    play.note_answer("without force", await client.ask("DELETE", f"/containers/{container}"))
    answer = await client.ask("POST", f"/containers/{container}/stop", t="2")
    play.note_answer("stopped", answer)
    tasks = await play.until_tasks(
        "grace",
        lambda found: len(found) == 2 and found[1]["Status"]["State"] == "running",
        "a replacement",
    )
    play.note("tasks", task_views(tasks))
    await play.until_told("grace", "start", 2)
    play.note("told", [name for name, _ in play.container_events("grace")])
    await play.create(spec("slow", restart={"Delay": 60_000 * MS}))
    (task,) = await play.settled("slow", 1)
    await play.remove_container(task)
    waiting = await play.until_tasks(
        "slow",
        lambda found: len(found) == 2 and found[1]["Status"]["State"] == "ready",
        "a replacement that waits",
    )
    play.note("waits for its restart delay", task_views(waiting))


SCENARIOS = (
    Scenario("ends", "who is replaced after an end: condition, exit code, attempts", ends),
    Scenario(
        "pending",
        "what fits nowhere says why: resources, constraints, platform, most per node",
        pending,
    ),
    Scenario("host_ports", "a port of a host is given away once", ports),
    Scenario("rejected", "a missing image: no container, nothing told", rejected),
    Scenario(
        "grace",
        "`docker stop`, the stop grace period, and a replacement that waits for its restart delay",
        grace,
    ),
)
