"""The life of a service as a tutorial shows it."""

from __future__ import annotations

from tests.conformance.play import Play, Scenario
from tests.conformance.specs import spec, to_image, to_replicas
from tests.conformance.views import Raw, image_of, service_view, task_views
from tests.conformance.world import STEADY, STEADY_2


def _one_replaced(tasks: list[Raw]) -> bool:
    states = [(task["Status"]["State"], task["DesiredState"]) for task in tasks]
    return len(tasks) == 2 and states[1] == ("running", "running")


async def created(play: Play) -> None:
    service_id = await play.create(spec("created", labels={"tier": "front"}))
    tasks = await play.settled("created", 1)
    play.note("tasks", task_views(tasks))
    play.note("service", service_view(await play.service("created")))
    by_id = await play.client().get(f"/services/{service_id[:12]}")
    play.note("by the beginning of its id", service_view(by_id))
    await play.until_told("created", "start")
    play.note("engine events", play.container_events("created"))
    answer = await play.client().ask("DELETE", "/services/created")
    play.note_answer("removed", answer)
    await play.until_told("created", "destroy")
    play.note("all actions", [name for name, _ in play.container_events("created")])
    await play.until_service_told("created", "remove")
    play.note("service events", play.service_events("created"))
    play.note_answer("inspected", await play.client().ask("GET", "/services/created"))
    play.note_answer("removed again", await play.client().ask("DELETE", "/services/created"))


async def container_removed(play: Play) -> None:
    await play.create(spec("removed"))
    (task,) = await play.settled("removed", 1)
    await play.remove_container(task)
    tasks = await play.until_tasks("removed", _one_replaced, "a replacement")
    play.note("tasks", task_views(tasks))
    play.note("service", service_view(await play.service("removed")))
    await play.until_told("removed", "start", 2)
    play.note("engine events", play.container_events("removed"))
    play.note("service events", play.service_events("removed"))


async def container_killed(play: Play) -> None:
    await play.create(spec("killed"))
    (task,) = await play.settled("killed", 1)
    client, container = await play.container_of(task)
    play.note_answer("killed", await client.ask("POST", f"/containers/{container}/kill"))
    tasks = await play.until_tasks("killed", _one_replaced, "a replacement")
    play.note("tasks", task_views(tasks))
    await play.until_told("killed", "start", 2)
    play.note("engine events", play.container_events("killed"))
    play.note_answer("again", await client.ask("POST", f"/containers/{container}/kill"))


async def one_by_one(play: Play) -> None:
    await play.create(spec("rolling", replicas=3))
    await play.settled("rolling", 3)
    before = len(play.container_events("rolling"))
    await play.update("rolling", to_image(STEADY_2))
    fewest = 3

    async def look() -> bool:
        nonlocal fewest
        tasks = await play.tasks("rolling")
        fewest = min(fewest, sum(task["Status"]["State"] == "running" for task in tasks))
        images = [image_of(t["Spec"]) for t in tasks if t["Status"]["State"] == "running"]
        return images == [STEADY_2] * 3

    await play.until("three of the new image", look)
    raw = await play.until_state("rolling", "completed")
    assert fewest >= 2, f"{fewest} ran: more than one was replaced at a time"
    play.note("tasks", task_views(await play.settled("rolling", 3, STEADY_2)))
    play.note("service", service_view(raw))
    ends_and_starts = [
        [action, attributes["image"]]
        for action, attributes in play.container_events("rolling")[before:]
        if action in ("die", "start")
    ]
    play.note("ends and starts", ends_and_starts)
    await play.until_service_told("rolling", "update", updatestate_new="completed")
    play.note("service events", play.service_events("rolling"))


async def scaled(play: Play) -> None:
    await play.create(spec("scaled", image=STEADY))
    await play.settled("scaled", 1)
    before = await play.service("scaled")
    await play.update("scaled", to_replicas(3))
    after = await play.service("scaled")
    play.note("version moved", after["Version"]["Index"] > before["Version"]["Index"])
    play.note("up", task_views(await play.settled("scaled", 3)))
    play.note("after up", service_view(await play.service("scaled")))
    await play.update("scaled", to_replicas(1))
    tasks = await play.until_tasks("scaled", lambda found: len(found) == 1, "two tasks gone")
    play.note("down", [task["Status"]["State"] for task in tasks])
    await play.update("scaled", to_replicas(0))
    play.note("none", await play.until_tasks("scaled", lambda found: not found, "no task"))
    play.note("after none", service_view(await play.service("scaled")))
    play.note("service events", play.service_events("scaled"))


SCENARIOS = (
    Scenario("created", "a service created, inspected, removed; what its engine tells", created),
    Scenario(
        "container_removed",
        "`docker rm --force` of a task's container: failed with 137, replaced, kept in the history",
        container_removed,
    ),
    Scenario("container_killed", "`docker kill` of it", container_killed),
    Scenario(
        "one_by_one", "`service update --image`: tasks replaced one after the other", one_by_one
    ),
    Scenario(
        "scaled", "`service scale`: up, down, to nothing; PreviousSpec and no UpdateStatus", scaled
    ),
)
