"""Configs on the wire, and what else came with them: addresses of tasks, events of configs."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.engine import subscription
from monitor.engine.client import DockerEngine
from monitor.engine.deadlines import Deadlines
from monitor.engine.parse_config import parse_config
from monitor.engine.parse_event import parse_event
from monitor.engine.parse_task import parse_task
from monitor.engine.stream_stats import counted_as
from monitor.model.config import Config
from monitor.ports.errors import BadAnswer, Conflict, DeadlineExceeded, NotFound
from tests.unit.engine.wire import Answer, WireEngine, answer, hang, wire_engine


@asynccontextmanager
async def serving(
    scripts: dict[str, list[Answer]], deadlines: Deadlines | None = None
) -> AsyncIterator[tuple[WireEngine, DockerEngine]]:
    async with wire_engine() as wire, DockerEngine(wire.url, deadlines=deadlines) as engine:
        wire.answers.update(scripts)
        yield wire, engine


SPEC = {"Name": "lease", "Labels": {"a": "1"}, "Data": "eA==", "Templating": {"Name": "golang"}}
RAW = {"ID": "c1", "Version": {"Index": 12}, "CreatedAt": "", "Spec": SPEC}


def test_a_config_becomes_a_value() -> None:
    """Id, name, version, labels, and the whole object to be posted back."""
    assert parse_config(RAW) == Config("c1", "lease", 12, {"a": "1"}, RAW)
    odd = {"ID": "c", "Spec": {"Name": "n", "Labels": {"a": 1, "b": "2"}}}
    assert parse_config(odd).labels == {"b": "2"}
    assert parse_config({"ID": "c", "Spec": {"Name": "n", "Labels": None}}).labels == {}


@pytest.mark.parametrize("raw", [{}, {"ID": "c"}, {"Spec": {"Name": "n"}}])
def test_a_config_without_id_or_name_is_a_bad_answer(raw: dict) -> None:
    """Nothing can be done with such an object."""
    with pytest.raises(BadAnswer):
        parse_config(raw)


async def test_only_the_whole_name_is_the_config() -> None:
    """The Engine's filter also lets through what begins with the name."""
    longer = {**RAW, "ID": "c0", "Spec": {**SPEC, "Name": "lease-2"}}
    scripts = {"/configs": [answer([longer, RAW]), answer([longer]), answer(None)]}
    async with serving(scripts) as (wire, engine):
        assert (await engine.config("lease")).id == "c1"
        assert json.loads(wire.asked("/configs")[0].query["filters"]) == {"name": ["lease"]}
        for _ in range(2):
            with pytest.raises(NotFound, match="no config has the name lease"):
                await engine.config("lease")


async def test_an_update_changes_the_labels_alone() -> None:
    """Everything else of the spec goes back as it came, with the version it was read at."""
    scripts = {"/configs/c1/update": [answer(b"")]}
    async with serving(scripts) as (wire, engine):
        await engine.update_config(parse_config(RAW), {"b": "2"})
        (request,) = wire.asked("/update")
        assert (request.method, request.query) == ("POST", {"version": "12"})
        assert json.loads(request.body) == {**SPEC, "Labels": {"b": "2"}}


async def test_a_config_is_made_with_its_data() -> None:
    """Data travels in base64; a taken name is a Conflict."""
    taken = answer({"message": "rpc error: code = AlreadyExists desc = lease exists"}, status=409)
    scripts = {"/configs/create": [answer({"ID": "c1"}, status=201), taken]}
    async with serving(scripts) as (wire, engine):
        await engine.create_config("lease", {"a": "1"}, b"what it is")
        sent = json.loads(wire.asked("/create")[0].body)
        assert sent.pop("Data") == base64.b64encode(b"what it is").decode()
        assert sent == {"Name": "lease", "Labels": {"a": "1"}}
        with pytest.raises(Conflict):
            await engine.create_config("lease", {}, b"")


async def test_an_old_version_is_a_conflict() -> None:
    """swarmkit's own words for it, which come as HTTP 500."""
    old = answer({"message": "rpc error: code = Unknown desc = update out of sequence"}, status=500)
    async with serving({"/configs/c1/update": [old]}) as (_, engine):
        with pytest.raises(Conflict):
            await engine.update_config(parse_config(RAW), {})


async def test_configs_have_a_deadline_of_their_own() -> None:
    """A lease cannot wait as long as a list of services may."""
    scripts = {path: [hang] for path in ("/configs", "/configs/create", "/configs/c1/update")}
    deadlines = Deadlines(config=0.05)
    async with serving(scripts, deadlines) as (_, engine):
        for call in (
            engine.config("lease"),
            engine.create_config("lease", {}, b""),
            engine.update_config(parse_config(RAW), {}),
        ):
            with pytest.raises(DeadlineExceeded):
                await call


def attached(*networks: object) -> tuple[tuple[str, str], ...]:
    task = parse_task({"ID": "t", "ServiceID": "s", "NetworksAttachments": list(networks)})
    assert task is not None
    return task.addresses


def network(name: str, *addresses: object, **spec: object) -> dict:
    return {"Network": {"Spec": {"Name": name, **spec}}, "Addresses": list(addresses)}


def test_a_task_has_its_addresses_without_masks() -> None:
    """In the order told, without the routing mesh's own network."""
    assert attached(
        network("ingress", "10.0.0.5/24"),
        network("mesh", "10.0.9.5/24", Ingress=True),
        network("agents", "10.1.0.7/20", "fd00::7/64"),
        network("bare", "10.2.0.9"),
    ) == (("agents", "10.1.0.7"), ("agents", "fd00::7"), ("bare", "10.2.0.9"))


def test_unreadable_addresses_are_left_out() -> None:
    """Attachments without a name, without addresses, or of another shape."""
    odd = ({}, {"Network": None}, 7, network(""), network("a", None, 5, "", "/24"))
    assert attached(*odd, network("b", "10.0.0.1/8")) == (("b", "10.0.0.1"),)
    for attachments in (None, 5, "x", {}):
        task = parse_task({"ID": "t", "ServiceID": "s", "NetworksAttachments": attachments})
        assert task is not None
        assert task.addresses == ()


@given(
    st.recursive(
        st.none() | st.text(max_size=3),
        lambda c: (
            st.dictionaries(st.sampled_from(["Network", "Spec", "Name", "Addresses", "Ingress"]), c)
            | st.lists(c)
        ),
    )
)
def test_no_attachment_breaks_the_parser(attachment: object) -> None:
    """Whatever stands there, addresses are pairs of non-empty texts."""
    assert all(name and address for name, address in attached(attachment))


def test_events_of_configs_are_asked_for_and_counted() -> None:
    """As the daemon tells them, with a name of their own among the metrics."""
    assert "config" in json.loads(subscription.query(None)["filters"])["type"]
    line = {
        "Type": "config",
        "Action": "update",
        "Actor": {"ID": "c1", "Attributes": {"name": "lease"}},
        "scope": "swarm",
        "timeNano": 5,
    }
    event = parse_event(json.dumps(line).encode())
    assert (event.type, event.action, event.actor_id) == ("config", "update", "c1")
    assert (event.attributes, event.scope, event.service_id) == ({"name": "lease"}, "swarm", "")
    assert counted_as(event) == ("config", "update")
