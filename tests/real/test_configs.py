"""Swarm configs on real engines: what a lease that is kept in one relies on."""

from __future__ import annotations

import asyncio

import pytest

from monitor.engine.client import DockerEngine
from monitor.model.event import Event
from monitor.ports.errors import Conflict, NotAManager, NotFound
from tests.real.conftest import SwarmFactory
from tests.real.lab import Swarm

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def swarm(swarm_of: SwarmFactory) -> Swarm:
    return swarm_of(1, 1)


async def test_labels_of_a_config_change_by_version(swarm: Swarm) -> None:
    """Made, read, labelled; refused where the name is taken, the version old, it is gone."""
    async with DockerEngine(swarm.manager.url) as engine:
        with pytest.raises(NotFound):
            await engine.config("lease")
        await engine.create_config("lease-longer", {}, b"other")
        with pytest.raises(NotFound):
            await engine.config("lease")
        await engine.create_config("lease", {"a": "1"}, b"what it is")
        with pytest.raises(Conflict):
            await engine.create_config("lease", {}, b"another")
        first = await engine.config("lease")
        assert (first.name, first.labels) == ("lease", {"a": "1"})
        await engine.update_config(first, {"b": "2"})
        with pytest.raises(Conflict):
            await engine.update_config(first, {"c": "3"})
        second = await engine.config("lease")
        assert (second.id, second.labels) == (first.id, {"b": "2"})
        assert second.version > first.version
        assert second.raw["Spec"]["Data"] == first.raw["Spec"]["Data"]
        swarm.manager.docker("config", "rm", "lease", "lease-longer")
        with pytest.raises(NotFound):
            await engine.update_config(second, {})


async def test_workers_have_no_configs(swarm: Swarm) -> None:
    """A worker says what it is, to readers and writers."""
    async with DockerEngine(swarm.workers[0].url) as engine:
        with pytest.raises(NotAManager):
            await engine.config("lease")
        with pytest.raises(NotAManager):
            await engine.create_config("lease", {}, b"")


async def test_configs_are_told_of(swarm: Swarm) -> None:
    """An event for each creation, change and removal, with the name."""
    async with DockerEngine(swarm.manager.url) as engine, engine.events(None) as told:
        await engine.create_config("told", {}, b"x")
        await engine.update_config(await engine.config("told"), {"a": "1"})
        swarm.manager.docker("config", "rm", "told")
        seen: list[Event] = []
        async with asyncio.timeout(20):
            while len(seen) < 3:
                event = await anext(told)
                if event.type == "config" and event.attributes.get("name") == "told":
                    seen.append(event)
        assert [event.action for event in seen] == ["create", "update", "remove"]
        assert {event.scope for event in seen} == {"swarm"}
