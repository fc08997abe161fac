"""Versions, UpdateStatus and PreviousSpec under updates."""

from __future__ import annotations

from tests.conformance.play import Play, Scenario
from tests.conformance.specs import MS, forced, spec, to_image, to_replicas
from tests.conformance.views import Raw, ended, runs, service_view, task_views, update_of
from tests.conformance.world import CRASH, STEADY_2


async def same_spec(play: Play) -> None:
    """Even an update that changes nothing counts: version, PreviousSpec, no replaced task."""
    await play.create(spec("same"))
    await play.settled("same", 1)
    before = await play.service("same")
    answer = await play.write(before)
    play.note("answer", {"status": answer.status, "body": answer.body})
    after = await play.service("same")
    play.note("version moved", after["Version"]["Index"] > before["Version"]["Index"])
    play.note("service", service_view(after))
    await play.update("same", forced)
    await play.until_state("same", "completed")
    play.note("tasks", task_views(await play.settled("same", 1)))
    await play.update("same")
    await play.until_service_told("same", "update", updatestate_new="completed")
    play.note("after the second", service_view(await play.service("same")))
    play.note("tasks then", task_views(await play.settled("same", 1)))
    play.note("service events", play.service_events("same"))


async def stale_version(play: Play) -> None:
    """A write at a version that is no more the newest is refused and changes nothing."""
    await play.create(spec("stale"))
    await play.settled("stale", 1)
    first = await play.service("stale")
    play.note_answer("accepted", await play.write(first, to_replicas(2)))
    play.note_answer("stale", await play.write(first, to_replicas(5)))
    ahead = await play.service("stale")
    ahead["Version"]["Index"] += 1000
    play.note_answer("of the future", await play.write(ahead, to_replicas(5)))
    play.note_answer("no number", await play.write(first, version="x"))
    play.note("service", service_view(await play.service("stale")))
    await play.settled("stale", 2)


async def versions_move(play: Play) -> None:
    """During a rollout the version moves by itself: a person's older read is refused."""
    await play.create(spec("moving"))
    await play.settled("moving", 1)
    await play.update("moving", to_image(STEADY_2))
    read = await play.service("moving")
    await play.until_state("moving", "completed")
    play.note_answer("at the version after the post", await play.write(read, to_replicas(3)))
    newest = await play.service("moving")
    play.note("version moved", newest["Version"]["Index"] > read["Version"]["Index"])
    play.note_answer("at the newest", await play.write(newest, to_replicas(2)))
    await play.settled("moving", 2)
    scaled = await play.service("moving")
    play.note("service", service_view(scaled))
    # Of tasks the service's version does not tell: it stays while they come and go.
    running = [task for task in await play.settled("moving", 2) if runs(task)]
    await play.remove_container(running[0])
    await play.until_told("moving", "start", 4)
    await play.settled("moving", 2)
    still = await play.service("moving")
    play.note("moved by a task's end", still["Version"]["Index"] > scaled["Version"]["Index"])
    play.note_answer("written at it", await play.write(scaled, to_replicas(1)))


async def two_transactions(play: Play) -> None:
    """A deploy takes UpdateStatus away; `updating` comes with a later change of the service."""
    await play.create(spec("nilgap", update={"Monitor": 1500 * MS}))
    await play.settled("nilgap", 1)
    for image in (STEADY_2, "steady:1"):
        await play.update("nilgap", to_image(image))
        await play.until_service_told("nilgap", "update", image_new=image)
        updating = await play.until_state("nilgap", "updating")
        play.note("updating", service_view(updating))
        await play.until_state("nilgap", "completed")
    await play.until_service_told("nilgap", "update", updatestate_new="completed")
    await play.settled("nilgap", 1)
    play.note("service events", play.service_events("nilgap"))


async def cancelled(play: Play) -> None:
    """A second update ends the first one's work and makes its spec the one to go back to."""
    await play.create(spec("cancelled", replicas=4, update={"Delay": 60_000 * MS}))
    await play.settled("cancelled", 4)
    await play.update("cancelled", to_image(STEADY_2))
    await play.until_state("cancelled", "updating")
    await play.until_told("cancelled", "start", 5)
    await play.update("cancelled", to_replicas(5))
    play.note("scaled meanwhile", service_view(await play.until_state("cancelled", "updating")))
    await play.update("cancelled", lambda raw: raw.update(Labels={"by": "hand"}))
    play.note("labelled", service_view(await play.until_state("cancelled", "updating")))

    def faster(raw: Raw) -> None:
        raw["UpdateConfig"] = {"Parallelism": 0, "Monitor": 300 * MS}

    await play.update("cancelled", faster)
    play.note("completed", service_view(await play.until_state("cancelled", "completed")))
    await play.settled("cancelled", 5, STEADY_2)
    play.note("service events", play.service_events("cancelled"))


async def forced_again(play: Play) -> None:
    """ForceUpdate replaces every task of an unchanged image, as a rollout."""
    await play.create(spec("forced", replicas=2))
    await play.settled("forced", 2)
    before = len(play.container_events("forced"))
    await play.update("forced", forced)
    raw = await play.until_state("forced", "completed")
    play.note("service", service_view(raw))
    play.note("tasks", task_views(await play.settled("forced", 2)))
    told = [name for name, _ in play.container_events("forced")[before:]]
    play.note("ends and starts", [name for name in told if name in ("kill", "die", "start")])


async def paused(play: Play) -> None:
    """A failed update pauses by default; a scale of it brings the failing spec to life again."""
    slowly = {"Parallelism": 1, "Monitor": 20_000 * MS, "Delay": 20_000 * MS}
    quickly = {"Parallelism": 1, "Monitor": 300 * MS}
    await play.create(spec("paused", replicas=2, restart={"Condition": "none"}, update=slowly))
    await play.settled("paused", 2)

    def without_action(raw: Raw) -> None:
        to_image(CRASH)(raw)
        raw["UpdateConfig"] = slowly

    await play.update("paused", without_action)
    raw = await play.until_state("paused", "paused")
    play.note("service", service_view(raw))
    await play.until_service_told("paused", "update", updatestate_new="paused")
    running = [t for t in await play.tasks("paused") if t["Status"]["State"] == "running"]
    play.note("still running", len(running))
    play.note("events", play.service_events("paused"))
    await play.update("paused", to_replicas(3))
    resumed = await play.until(
        "the update goes on",
        lambda: play.service("paused"),
        lambda raw: update_of(raw).get("State") in ("updating", "paused"),
    )
    play.note("back at work", service_view(resumed)["previous"])

    def mended(raw: Raw) -> None:
        to_image(STEADY_2)(raw)
        raw["UpdateConfig"] = quickly

    await play.update("paused", mended)
    play.note("mended", service_view(await play.until_state("paused", "completed")))
    await play.settled("paused", 3, STEADY_2)


async def start_first(play: Play) -> None:
    """The new task runs before the old one is told to go."""
    await play.create(spec("startfirst", replicas=2, update={"Order": "start-first"}))
    await play.settled("startfirst", 2)
    before = len(play.container_events("startfirst"))
    await play.update("startfirst", to_image(STEADY_2))
    fewest = 2

    async def look() -> bool:
        nonlocal fewest
        tasks = await play.tasks("startfirst")
        fewest = min(fewest, sum(task["Status"]["State"] == "running" for task in tasks))
        return update_of(await play.service("startfirst")).get("State") == "completed"

    await play.until("the update's end", look)
    play.note("fewest that ran", fewest)
    play.note("tasks", task_views(await play.settled("startfirst", 2, STEADY_2)))
    await play.until_told("startfirst", "die", 2)
    told = [name for name, _ in play.container_events("startfirst")[before:]]
    play.note("first told", next(name for name in told if name in ("start", "die")))


async def carried_on(play: Play) -> None:
    """With failure action continue, an update goes on whatever its tasks do."""
    update = {"FailureAction": "continue", "Monitor": 500 * MS}
    await play.create(spec("carriedon", replicas=2, restart={"Condition": "none"}, update=update))
    await play.settled("carriedon", 2)
    await play.update("carriedon", to_image(CRASH))
    play.note("service", service_view(await play.until_state("carriedon", "completed")))
    await play.until_service_told("carriedon", "update", updatestate_new="completed")
    tasks = await play.until_tasks("carriedon", lambda found: all(map(ended, found)), "all ended")
    ends = [one for one in task_views(tasks) if one["image"] == CRASH]
    play.note("of the new image", [[one["state"], one["error"]] for one in ends])
    play.note("service events", play.service_events("carriedon"))


SCENARIOS = (
    Scenario(
        "same_spec",
        "an update that changes nothing counts as one; its answer holds warnings alone",
        same_spec,
    ),
    Scenario(
        "stale_version", "a write at any other version than the newest is refused", stale_version
    ),
    Scenario(
        "versions_move",
        "the version moves during a rollout by itself, and not when tasks end",
        versions_move,
    ),
    Scenario(
        "two_transactions",
        "UpdateStatus is taken away first and `updating` comes in a change of its own",
        two_transactions,
    ),
    Scenario(
        "cancelled",
        "an update into an update: PreviousSpec, UpdateStatus, the first one's end",
        cancelled,
    ),
    Scenario("forced", "ForceUpdate replaces every task", forced_again),
    Scenario("paused", "a failed update pauses by default; a scale lets it go on", paused),
    Scenario(
        "start_first", "order start-first: the new task runs before the old one ends", start_first
    ),
    Scenario("carried_on", "failure action continue", carried_on),
)
