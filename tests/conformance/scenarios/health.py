"""Health checks: what is told of them, and what becomes of who fails them."""

from __future__ import annotations

from typing import Any

from tests.conformance.play import Play, Scenario
from tests.conformance.specs import MS, Raw, spec
from tests.conformance.views import runs, task_views
from tests.conformance.world import AILING, SICK, STEADY

# Fails from its second look on.
_ONCE = "test ! -e /tmp/seen; found=$?; touch /tmp/seen; exit $found"


def _checked(name: str, image: str, check: str) -> Raw:
    raw = spec(name, image=image, restart={"Condition": "none"})
    raw["TaskTemplate"]["ContainerSpec"]["Healthcheck"] = {
        "Test": ["CMD-SHELL", check],
        "Interval": 300 * MS,
        "Timeout": 5000 * MS,
        "Retries": 1,
    }
    return raw


def _failed(task: Raw) -> bool:
    ended = (task["Status"]["State"], task["DesiredState"])
    return ended == ("failed", "shutdown")


async def health(play: Play) -> None:
    """Healthy before it runs; one that is not any more, or never was, fails."""
    await play.create(_checked("well", STEADY, "exit 0"))
    (task,) = await play.until_tasks(
        "well", lambda tasks: len(tasks) == 1 and runs(tasks[0]), "a running task"
    )
    worker, container = await play.container_of(task)
    raw = await worker.get(f"/containers/{container}/json")
    (listed,) = await worker.get("/containers/json", filters={"id": [container]})
    play.note("well", [raw["State"]["Health"]["Status"], listed["Status"].rpartition(" ")[2]])
    play.note("told of well", play.health_events("well"))
    wanted: dict[str, Any] = {"health": ["healthy"], "id": [container]}
    play.note("found", len(await worker.get("/containers/json", filters=wanted)))
    for name, image, check in (("ailing", AILING, _ONCE), ("sick", SICK, "exit 1")):
        await play.create(_checked(name, image, check))
        tasks = await play.until_tasks(
            name,
            lambda tasks: len(tasks) == 1 and _failed(tasks[0]),
            "a failed task",
        )
        play.note(name, task_views(tasks))
        await play.until_told(name, "die")
        play.note(f"told of {name}", play.health_events(name))


SCENARIOS = (
    Scenario("health", "who fails its health check fails; healthy comes before running", health),
)
