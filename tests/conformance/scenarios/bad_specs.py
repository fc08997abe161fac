"""What managers take for badly written, and with which words."""

from __future__ import annotations

import copy
from typing import Any

from tests.conformance.play import Play, Scenario
from tests.conformance.specs import Raw, spec

# Where in a spec, what is written there; one request each.
_WRITTEN: tuple[tuple[str, Any], ...] = (
    ("TaskTemplate.ContainerSpec.Image", "Bad:Image"),
    ("TaskTemplate.ContainerSpec.Image", "a b"),
    ("TaskTemplate.ContainerSpec.Image", "a/b:"),
    ("TaskTemplate.ContainerSpec.Healthcheck", {"Test": ["CMD", "x"], "Interval": 5}),
    ("TaskTemplate.ContainerSpec.Healthcheck", {"Test": ["CMD", "x"], "Timeout": -5}),
    ("TaskTemplate.ContainerSpec.Healthcheck", {"Test": ["CMD", "x"], "StartPeriod": 5}),
    ("TaskTemplate.ContainerSpec.Healthcheck", {"Test": ["CMD", "x"], "Retries": -1}),
    ("TaskTemplate.ContainerSpec.Mounts", [{"Type": "disk", "Target": "/a"}]),
    ("TaskTemplate.ContainerSpec.Mounts", [{"Type": "tmpfs", "Target": "/a"}] * 2),
    ("TaskTemplate.ContainerSpec.Secrets", [{"SecretID": "x"}]),
    (
        "TaskTemplate.ContainerSpec.Secrets",
        [{"SecretID": "x", "SecretName": "y", "File": {"Name": "z"}}],
    ),
    ("TaskTemplate.ContainerSpec.Configs", [{"ConfigID": "x"}]),
    (
        "TaskTemplate.ContainerSpec.Configs",
        [{"ConfigID": "x", "ConfigName": "y", "File": {"Name": "z"}}],
    ),
    ("TaskTemplate.RestartPolicy.Delay", -1),
    ("TaskTemplate.RestartPolicy.Window", -1),
    ("TaskTemplate.Runtime", "jvm"),
    ("TaskTemplate.ContainerSpec", None),
    ("TaskTemplate.Networks", [{"Target": "ingress"}]),
    ("UpdateConfig.Delay", -1),
    ("UpdateConfig.Monitor", -1),
    ("UpdateConfig.MaxFailureRatio", 2),
    ("EndpointSpec", {"Mode": "anycast"}),
    ("Mode", {"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}}),
)


def _with(place: str, value: Any) -> Raw:
    raw = copy.deepcopy(spec("bad"))
    *path, last = place.split(".")
    part = raw
    for step in path:
        part = part[step]
    part[last] = value
    return raw


async def bad_specs(play: Play) -> None:
    """Services, configs and secrets that managers do not take, and lists asked for badly."""
    client = play.client()
    for place, value in _WRITTEN:
        answer = await client.ask("POST", "/services/create", _with(place, value))
        play.note_answer(f"{place} {value}", answer)
    for kind in ("configs", "secrets"):
        for raw in ({"Name": "a b", "Data": "YQ=="}, {"Name": "empty"}, {"Data": "YQ=="}):
            play.note_answer(f"{kind} {raw}", await client.ask("POST", f"/{kind}/create", raw))
    networks: tuple[Raw, ...] = (
        {"Name": "bad/name", "Driver": "overlay"},
        {"Name": "second", "Driver": "overlay", "Ingress": True},
    )
    for raw in networks:
        answer = await client.ask("POST", "/networks/create", raw)
        play.note(f"network {raw['Name']}", answer.status)
    for wanted in ({"role": ["king"]}, {"membership": ["some"]}):
        play.note_answer(f"nodes {wanted}", await client.ask("GET", "/nodes", filters=wanted))
    play.note_answer("status", await client.ask("GET", "/services", status="some"))
    backwards = await client.ask("GET", "/events", since="2", until="1")
    play.note_answer("backwards", backwards)
    unknown = {"nosuch": ["1"]}
    nothing = await client.ask("GET", "/events", since="1", until="2", filters=unknown)
    play.note("events by what is unknown", [nothing.status, nothing.body])


async def subnets(play: Play) -> None:
    """A network has the subnet that was asked for; a service on one has a virtual address."""
    client = play.client()
    asked = {"Config": [{"Subnet": "10.77.0.0/24", "Gateway": "10.77.0.1"}]}
    made = {"Name": "own", "Driver": "overlay", "IPAM": asked}
    play.note("made", (await client.ask("POST", "/networks/create", made)).status)

    async def network() -> Raw:
        found: Raw = await client.get("/networks/own")
        return found

    # The leader allocates it a moment after the network is made.
    found = await play.until("the subnet", network, lambda one: bool(one["IPAM"]["Config"]))
    play.note("subnet", found["IPAM"]["Config"])
    on_it = spec("on_it", replicas=0, Networks=[{"Target": "own"}])

    async def seen() -> Raw:
        return await play.service("on_it")

    endpoints: tuple[Raw, ...] = ({}, {"EndpointSpec": {}})
    for given in endpoints:
        await play.create({**on_it, **given})
        raw = await play.until("an address", seen, lambda one: "VirtualIPs" in one["Endpoint"])
        play.note(f"endpoint {given}", [raw["Endpoint"]["Spec"], raw["Spec"].get("EndpointSpec")])
        if not given:
            await client.ask("DELETE", "/services/on_it")
    inserted = await client.get("/services/on_it", insertDefaults="true")
    told = inserted["Spec"]
    play.note("defaults", told["TaskTemplate"]["Resources"])
    await client.ask("DELETE", "/services/on_it")

    async def removed() -> int:
        return (await client.ask("DELETE", "/networks/own")).status

    await play.until("the removal", removed, lambda code: bool(code == 204))


SCENARIOS = (
    Scenario("bad_specs", "badly written specs, filters and times: status and message", bad_specs),
    Scenario("subnets", "a network's own subnet; the endpoint of a service on it", subnets),
)
