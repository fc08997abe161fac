"""Which fields objects have: what a client's parser meets."""

from __future__ import annotations

import base64
from typing import Any

from tests.conformance.play import Play, Scenario
from tests.conformance.specs import spec, to_image
from tests.conformance.views import Raw
from tests.conformance.world import STEADY, STEADY_2

_SPECS = ("Spec", "PreviousSpec")  # a client's own, with what daemons fill in


def _fields(raw: Any, *left_out: str) -> list[str]:
    """Paths of all fields with the type of what they hold."""
    if not isinstance(raw, dict):
        return []
    found = []
    for key, value in raw.items():
        found.append(f"{key}: {type(value).__name__}")
        if key not in left_out:
            found += [f"{key}.{path}" for path in _fields(value)]
    return sorted(found)


async def shapes(play: Play) -> None:
    await play.create(spec("shapes", replicas=2))
    tasks = await play.settled("shapes", 2)
    play.note("service", _fields(await play.service("shapes"), *_SPECS))
    play.note("task", _fields(_given(tasks[0]), *_SPECS))
    await play.remove_container(tasks[0])
    await play.update("shapes", to_image(STEADY_2))
    updated = await play.until_state("shapes", "completed")
    play.note("updated service", _fields(updated, *_SPECS))
    failed = [t for t in await play.tasks("shapes") if t["Status"]["State"] == "failed"]
    play.note("failed task", _fields(_given(failed[0]), *_SPECS))
    config = {"Name": "shaped", "Data": base64.b64encode(b"x").decode()}
    made = await play.client().ask("POST", "/configs/create", config)
    play.note("config", _fields(await play.client().get(f"/configs/{made.body['ID']}")))
    for name in ("m1", "w1"):
        found = await play.node(name)
        play.note(name, _fields(found, "Description", *_SPECS))
    for kind, told in (("service", "m1"), ("container", "w1")):
        event = next(one for one in play.tapes.told[told] if one["Type"] == kind)
        play.note(f"{kind} event", _fields(event, "Actor"))


def _given(task: Raw) -> Raw:
    return {key: value for key, value in task.items() if key != "nth"}


async def spec_told(play: Play) -> None:
    """What a service's and a task's spec are told as, beside what was written."""
    container = {"Image": STEADY, "Env": ["A=1"], "Labels": {"x": "y"}, "Mounts": [], "Init": False}
    limits = {"Limits": {"NanoCPUs": 10**8, "MemoryBytes": 2**26}}
    full = {
        "ContainerSpec": container,
        "Resources": limits,
        "Networks": [],
        "LogDriver": {"Name": "none"},
    }
    cases = {
        "toldbare": {"TaskTemplate": {"ContainerSpec": {"Image": STEADY}}},
        "toldkept": spec("toldkept", update={"Order": "start-first", "Delay": 1_000_000}),
        "toldfull": {
            "TaskTemplate": full,
            "EndpointSpec": {"Mode": "dnsrr"},
            "UpdateConfig": {},
            "Labels": {"tier": "front"},
        },
    }
    for name, one in cases.items():
        await play.create({**one, "Name": name})
    for name in cases:
        (task,) = await play.settled(name, 1)
        raw = await play.service(name)
        play.note(name, raw["Spec"])
        play.note(f"task of {name}", task["Spec"])
        play.note_answer("written back", await play.write(raw))
        again = await play.service(name)
        play.note("told alike", again["Spec"] == again["PreviousSpec"] == raw["Spec"])
        play.note("no task replaced", [one["nth"] for one in await play.settled(name, 1)])


SCENARIOS = (
    Scenario("shapes", "which fields objects and events have", shapes),
    Scenario("spec_told", "what a spec is told as beside what was written", spec_told),
)
