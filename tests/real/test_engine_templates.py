"""Tasks bear the template of their service on real engines, whatever was changed and by whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.engine.client import DockerEngine
from monitor.model.service import Service, UpdateState
from monitor.model.task import TaskState
from tests.real.asking import by_name, eventually
from tests.real.conftest import SwarmFactory
from tests.real.lab import WORK_IMAGE, WORK_IMAGE_2, Swarm

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def swarm(swarm_of: SwarmFactory) -> Swarm:
    return swarm_of(1, 1)


@pytest.fixture
async def engine(swarm: Swarm) -> AsyncIterator[DockerEngine]:
    async with DockerEngine(swarm.manager.url) as opened:
        yield opened
    await asyncio.to_thread(swarm.remove_services)


async def _converged(engine: DockerEngine, name: str, count: int) -> Service:
    """Waits until no rollout is under way and `count` live tasks have the service's template."""
    found: list[Service] = []

    async def settled() -> bool:
        service = await by_name(engine, name)
        live = [task for task in await engine.tasks(service.id) if task.live]
        found[:] = [service]
        return (
            service.update_state not in (UpdateState.UPDATING, UpdateState.ROLLBACK_STARTED)
            and len(live) == count
            and all(task.state is TaskState.RUNNING for task in live)
            and all(task.template == service.template for task in live)
        )

    await eventually(settled, f"the tasks of {name} to have its template")
    return found[0]


async def _live_ids(engine: DockerEngine, service: Service) -> set[str]:
    return {task.id for task in await engine.tasks(service.id) if task.live}


CHANGES = {
    "image": ("--image", WORK_IMAGE_2, "--no-resolve-image"),
    "force": ("--force",),
    "environment": ("--env-add", "A=1"),
    "limits": ("--limit-memory", "32M"),
    "nothing": ("--label-add", "a=b"),
    "init": ("--init=false",),
}


async def test_templates_agree_after_each_kind_of_update(
    swarm: Swarm, engine: DockerEngine, tmp_path: Path
) -> None:
    """Whoever made the service and whatever changed: settled tasks bear the service's template.

    And a change that replaces the tasks changes it: until then old tasks differ.
    """
    fast = ("--update-delay=0s", "--update-monitor=1ms", "--update-parallelism=0")
    swarm.create_service("cli", "--replicas=2", *fast)
    container = {"Image": WORK_IMAGE, "Command": ["sleep", "1000"], "StopGracePeriod": 1_000_000}
    update = {"Monitor": 1_000_000}
    body = {"Name": "raw", "TaskTemplate": {"ContainerSpec": container}, "UpdateConfig": update}
    swarm.manager.api("POST", "/services/create", body)
    compose = tmp_path / "stack.yml"
    compose.write_text(
        "version: '3.8'\nservices:\n  a:\n    image: work:1\n    command: sleep 1000\n"
        "    environment: [X=1]\n    stop_grace_period: 1ms\n"
        "    deploy: {replicas: 2, update_config: {monitor: 1ms, parallelism: 0}}\n"
    )
    swarm.manager.docker("stack", "deploy", "--resolve-image=never", "-c", str(compose), "st")

    async def through_all(name: str, count: int) -> set[str]:
        replaced = set()
        service = await _converged(engine, name, count)
        ids = await _live_ids(engine, service)
        for what, options in CHANGES.items():
            await asyncio.to_thread(
                swarm.manager.docker, "service", "update", "--detach", *options, name
            )
            changed = await _converged(engine, name, count)
            live = await _live_ids(engine, changed)
            if ids == live:
                assert changed.template == service.template, what
            else:
                assert not ids & live, what
                assert changed.template != service.template, what
                replaced.add(what)
            service, ids = changed, live
        return replaced

    cli, raw, stack = await asyncio.gather(
        through_all("cli", 2), through_all("raw", 1), through_all("st_a", 2)
    )
    always = set(CHANGES) - {"nothing", "init"}
    assert cli == always  # its client had said `Init: false` from the start
    assert raw == always | {"init"}
    assert stack == always | {"init"}


async def test_a_move_of_tasks_keeps_their_template(swarm: Swarm, engine: DockerEngine) -> None:
    """A change of placement leaves fitting tasks with the old one, and the templates agree."""
    swarm.create_service("spread", "--replicas=2", "--update-monitor=1ms")
    await asyncio.to_thread(swarm.wait_running, "spread", 2)
    before = await _converged(engine, "spread", 2)
    ids = await _live_ids(engine, before)
    placed = ("--constraint-add", "node.role==manager", "--constraint-add", "node.role!=other")
    swarm.manager.docker("service", "update", "--detach", *placed, "spread")

    async def moved() -> bool:
        live = [task for task in await engine.tasks(before.id) if task.live]
        return {task.node_id for task in live} == {swarm.manager.node_id}

    await eventually(moved, "the task on the worker to move")
    after = await _converged(engine, "spread", 2)
    assert after.template == before.template
    assert ids & await _live_ids(engine, after)
