"""Going back, by hand and by itself."""

from __future__ import annotations

from tests.conformance.play import Play, Scenario
from tests.conformance.specs import MS, spec, to_image, to_replicas
from tests.conformance.views import Raw, ended, service_view, task_views
from tests.conformance.world import CRASH, STEADY, STEADY_2

_BACK = {"Monitor": 20_000 * MS, "FailureAction": "rollback"}


async def by_hand(play: Play) -> None:
    """Rolling back swaps the two specs; a second time is a redo."""
    await play.create(spec("byhand", replicas=2))
    await play.settled("byhand", 2)
    first = await play.service("byhand")
    play.note_answer("nothing to go back to", await play.write(first, rollback="previous"))
    await play.update("byhand", to_image(STEADY_2))
    await play.until_state("byhand", "completed")
    await play.settled("byhand", 2, STEADY_2)
    for image in (STEADY, STEADY_2):
        answer = await play.update("byhand", rollback="previous")
        play.note("answer", {"status": answer.status, "body": answer.body})
        play.note("at once", service_view(await play.service("byhand"))["spec"])
        raw = await play.until_state("byhand", "rollback_completed")
        play.note("service", service_view(raw))
        play.note("tasks", len(await play.settled("byhand", 2, image)))
    await play.until_service_told("byhand", "update", updatestate_new="rollback_completed")
    play.note("service events", play.service_events("byhand"))
    stale = await play.write(first, rollback="previous")
    play.note_answer("at a stale version", stale)
    wrong = await play.write(await play.service("byhand"), rollback="yes")
    play.note_answer("another word", wrong)


async def by_itself(play: Play) -> None:
    """failure_action rollback restores the whole spec, replicas too, and leaves no way back."""
    await play.create(spec("byitself", replicas=2, restart={"Condition": "none"}, update=_BACK))
    await play.settled("byitself", 2)

    def bad(raw: Raw) -> None:
        to_image(CRASH)(raw)
        to_replicas(3)(raw)
        raw["Labels"] = {"version": "bad"}

    await play.update("byitself", bad)
    raw = await play.until_state("byitself", "rollback_completed")
    play.note("service", service_view(raw))
    await play.until_service_told("byitself", "update", updatestate_new="rollback_completed")
    await play.settled("byitself", 2, STEADY)
    refused = await play.write(await play.service("byitself"), rollback="previous")
    play.note_answer("back once more", refused)
    play.note("service events", play.service_events("byitself"))


async def scaled_into(play: Play) -> None:
    """A scale into a failing rollout makes the bad spec the one that is gone back to."""
    watched = {"Monitor": 20_000 * MS, "FailureAction": "rollback", "Delay": 500 * MS}
    await play.create(spec("scaledinto", replicas=2, restart={"Condition": "none"}, update=watched))
    await play.settled("scaledinto", 2)
    await play.update("scaledinto", to_image(STEADY_2))
    await play.until_state("scaledinto", "updating")
    await play.update("scaledinto", to_replicas(3))
    play.note("scaled", service_view(await play.service("scaledinto"))["previous"])

    def both(tasks: list[Raw]) -> bool:
        return {1, 2} <= {task["Slot"] for task in tasks if _new_one(task)}

    for task in await play.until_tasks("scaledinto", both, "both slots on the new image"):
        if _new_one(task) and task["Slot"] <= 2:
            await play.remove_container(task)
    raw = await play.until_state("scaledinto", "rollback_completed")
    play.note("service", service_view(raw))


def _new_one(task: Raw) -> bool:
    status = task["Status"]
    image = task["Spec"]["ContainerSpec"]["Image"]
    return bool(status["State"] == "running" and image == STEADY_2)


async def stopped_within_monitor(play: Play) -> None:
    """A container ended by hand while an update is watched counts as the update's failure."""
    await play.create(spec("watched", update={"Monitor": 20_000 * MS}))
    await play.settled("watched", 1)
    await play.update("watched", to_image(STEADY_2))
    tasks = await play.until_tasks(
        "watched", lambda found: any(_new_one(task) for task in found), "the new task"
    )
    await play.remove_container(next(task for task in tasks if _new_one(task)))
    raw = await play.until_state("watched", "paused")
    play.note("service", service_view(raw))
    play.note("tasks", task_views(await play.settled("watched", 1)))


async def paused(play: Play) -> None:
    """A rollback that fails itself is paused; there is no going back from it but an update."""
    bad = spec("badback", image=CRASH, restart={"Condition": "none"})
    bad["RollbackConfig"] = {"Parallelism": 1, "Monitor": 20_000 * MS, "FailureAction": "pause"}
    await play.create(bad)
    await play.until_tasks("badback", lambda found: all(map(ended, found)) and found != [], "ends")
    await play.update("badback", to_image(STEADY))
    await play.until_state("badback", "completed")
    await play.settled("badback", 1, STEADY)
    await play.update("badback", rollback="previous")
    play.note("service", service_view(await play.until_state("badback", "rollback_paused")))
    await play.until_service_told("badback", "update", updatestate_new="rollback_paused")
    play.note("service events", play.service_events("badback"))
    await play.update("badback", to_image(STEADY_2))
    play.note("mended", service_view(await play.until_state("badback", "completed")))
    await play.settled("badback", 1, STEADY_2)


SCENARIOS = (
    Scenario(
        "rollback_by_hand",
        "`rollback=previous` swaps the specs; twice is a redo; refused without one",
        by_hand,
    ),
    Scenario(
        "rollback_by_itself",
        "failure action rollback restores the whole spec, and leaves no way back",
        by_itself,
    ),
    Scenario(
        "scaled_into_rollout",
        "a scale into a failing rollout makes the bad spec the one gone back to",
        scaled_into,
    ),
    Scenario(
        "stopped_in_monitor",
        "a stop within the monitor period fails the update",
        stopped_within_monitor,
    ),
    Scenario("rollback_paused", "a rollback that fails itself is paused", paused),
)
