"""A stack deploy that resets replicas: waited out, put right at once, or kept from happening."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.real.acting import (
    ROLLING,
    Record,
    all_on_spec,
    inspect,
    recording,
    replicas,
    rules,
    update_state,
)
from tests.real.agent import AgentProcess, running_agent, wait_for
from tests.real.backlog import Backlog, backlog
from tests.real.lab import WORK_IMAGE, WORK_IMAGE_2, Swarm
from tests.real.lab.requirements import docker_bin
from tests.real.lab.shell import run
from tests.real.proxy import EngineProxy, Request

SERVICE = "shop_web"
RULE = """
- name: web-load
  services: [{service}]
  scale:
    min: 2
    max: 20
    metrics: [{metric}]
    scale_up: {{policies: [{{type: replicas, value: 20, period: 1s}}]}}
    after_deploy_reset: {after}
"""
COMPOSE = """\
version: "3.8"
services:
  web:
    image: {image}  # the count below is what a deploy sets
    command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.5; done"]
    stop_grace_period: 1s
    networks: [machine]
    deploy:
      replicas: 2
      update_config: {{parallelism: {at_once}, delay: 1s, monitor: 300ms}}
networks:
  machine: {{external: true, name: host}}
"""


@pytest.fixture(autouse=True)
def no_services_left(one_node: Swarm) -> Iterator[None]:
    """Every test begins and ends without tasks."""
    yield
    one_node.remove_services()


@dataclass(frozen=True, slots=True)
class Scene:
    """Stack `shop`, whose service `web` was scaled to 10 by load; its file says 2.

    Writes are the agent's alone: people and deploys go to the engine itself.
    """

    swarm: Swarm
    folder: Path
    proxy: EngineProxy
    agent: AgentProcess
    load: Backlog
    record: Record

    def now(self) -> dict[str, Any]:
        return inspect(self.swarm.manager, SERVICE)

    def scale_by_hand(self, count: int) -> None:
        self.swarm.manager.docker("service", "scale", "--detach", f"{SERVICE}={count}")

    def wait_replicas(self, count: int) -> None:
        wait_for(
            lambda: replicas(self.now()) == count,
            60,
            lambda: f"{count} replicas: {self.agent.decisions(SERVICE)[:1]}",
        )

    def wait_reason(self, *reasons: str, current: int) -> None:
        """Until the newest decision is about so many replicas and has one of the reasons."""
        wait_for(
            lambda: any(
                newest["reason"] in reasons and newest["current"] == current
                for newest in self.agent.decisions(SERVICE)[:1]
            ),
            60,
            lambda: f"{reasons} at {current}: {self.agent.decisions(SERVICE)[:1]}",
        )

    def wait_rolled_out(self, count: int) -> None:
        """Until so many tasks run the new image, and the agent has nothing more to do."""
        wait_for(
            lambda: replicas(self.now()) == count and all_on_spec(self.swarm, SERVICE),
            90,
            lambda: f"{count} of the new image: {self.agent.decisions(SERVICE)[:1]}",
        )
        image = self.now()["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
        assert image.partition("@")[0] == WORK_IMAGE_2
        self.wait_reason("within_tolerance", current=count)
        assert not self.proxy.faults

    def writes(self) -> list[tuple[int, str | None]]:
        """The replicas of each write of the agent that the engine took, the first one aside.

        With each the state of the update in the version that it replaced.
        """
        states = {
            read.answer["Version"]["Index"]: update_state(read.answer)
            for read in self.proxy.reads
            if read.status == 200
        }
        taken = [write for write in self.proxy.writes if write.status == 200]
        return [
            (write.body["Mode"]["Replicated"]["Replicas"], states[write.version])
            for write in taken[1:]
        ]

    def written(self) -> list[int]:
        return [count for count, _ in self.writes()]

    def decided(self, reason: str) -> list[dict[str, Any]]:
        """Decisions for this reason, oldest first, that did something."""
        found = self.agent.decisions(SERVICE)[::-1]
        return [one for one in found if one["reason"] == reason and one["action"] != "none"]

    def rolled(self, since: int = 0) -> bool:
        """Whether an update was seen rolling out after that version of the service."""
        return any(
            seen["Version"]["Index"] > since and update_state(seen) == "updating"
            for _, seen in self.record.seen
        )


def compose(folder: Path, image: str, *, at_once: int = 1) -> Path:
    """A stack's file, as its people keep it: with two replicas."""
    path = folder / "shop.yml"
    path.write_text(COMPOSE.format(image=image, at_once=at_once))
    return path


def deploy(swarm: Swarm, text: str) -> None:
    """`docker stack deploy -c - shop` with this file."""
    client = docker_bin()
    assert client is not None
    command = [
        client,
        "--host",
        swarm.manager.url,
        "stack",
        "deploy",
        "--resolve-image=never",
        "--compose-file=-",
        "shop",
    ]
    run(command, stdin=text, env={"PATH": os.defpath, "HOME": "/nonexistent"})


@contextmanager
def shop(swarm: Swarm, folder: Path, after: str) -> Iterator[Scene]:
    deploy(swarm, compose(folder, WORK_IMAGE).read_text())
    swarm.wait_running(SERVICE, 2)
    with backlog() as load, EngineProxy(swarm.manager.socket, folder) as proxy:
        load.ask_for(10)
        body = RULE.format(service=SERVICE, metric=load.metric, after=after)
        with (
            running_agent(folder, proxy.url, rules(folder, body)) as agent,
            recording(swarm.manager, SERVICE) as record,
        ):
            scene = Scene(swarm, folder, proxy, agent, load, record)
            scene.wait_replicas(10)
            swarm.wait_running(SERVICE, 10)
            scene.wait_reason("within_tolerance", current=10)
            assert len(proxy.writes) == 1
            yield scene


def test_wait_lets_the_rollout_end_then_load_decides(one_node: Swarm, tmp_path: Path) -> None:
    """No write while the deploy rolls out; then load brings the replicas back, by one write."""
    with shop(one_node, tmp_path, "wait") as scene:
        deploy(one_node, compose(tmp_path, WORK_IMAGE_2).read_text())
        scene.wait_replicas(2)
        scene.wait_reason("rollout_in_progress", current=2)
        held = scene.agent.decisions(SERVICE)[0]
        assert held["desired"] == 10
        assert scene.written() == []
        scene.wait_rolled_out(10)
        assert scene.writes() == [(10, "completed")]
        assert scene.rolled()
        assert scene.decided("deploy_reset") == []

        # A person under load: each change is answered by load once, and by nothing else.
        for times in (2, 3):
            scene.scale_by_hand(3)
            scene.wait_replicas(10)
            scene.wait_reason("within_tolerance", current=10)
            assert scene.written() == [10] * times


def test_restore_puts_it_right_during_the_rollout(one_node: Swarm, tmp_path: Path) -> None:
    """One write puts 10 back while the new image rolls out; what load wants besides waits."""
    with shop(one_node, tmp_path, "restore") as scene:

        def more_load(request: Request) -> None:
            """Once 10 are about to be put back: known by the time at which they are there."""
            if request.method == "POST" and scene.load.waiting != 150:
                scene.load.ask_for(15)
                time.sleep(1.5)

        scene.proxy.before = more_load
        deploy(one_node, compose(tmp_path, WORK_IMAGE_2).read_text())
        scene.wait_rolled_out(15)
        restored = scene.decided("deploy_reset")
        assert {(one["current"], one["desired"]) for one in restored} == {(2, 10)}
        (ten, during), last = scene.writes()
        assert ten == 10
        assert during in (None, "updating")
        assert last == (15, "completed")
        assert scene.rolled(since=restored[-1]["version"]), "the rollout goes on"


def test_restore_gives_in_to_who_means_it(one_node: Swarm, tmp_path: Path) -> None:
    """A person who scales a stack's service again and again is put right three times, no more."""
    with shop(one_node, tmp_path, "restore") as scene:
        scene.load.ask_for(2)
        scene.wait_reason("stabilized", current=10)
        for times in (1, 2, 3):
            scene.scale_by_hand(2)
            wait_for(
                lambda times=times: scene.written() == [10] * times,
                30,
                lambda: f"a restoration: {scene.agent.decisions(SERVICE)[:1]}",
            )
            scene.wait_reason("stabilized", current=10)
        for count in (2, 4):
            scene.scale_by_hand(count)
            scene.wait_reason("foreign_changes", current=count)
            scene.wait_reason("stabilized", "within_tolerance", "at_min", current=count)
            assert replicas(scene.now()) == count
        assert scene.written() == [10] * 3
        assert len(scene.decided("deploy_reset")) == 3


def test_a_service_of_no_stack_is_left_to_its_person(one_node: Swarm, tmp_path: Path) -> None:
    """Replicas set by hand, without a deploy, are never put back: not even once."""
    one_node.create_service(SERVICE, "--replicas=2", "--network=host", command=("sleep", "100000"))
    with backlog() as load, EngineProxy(one_node.manager.socket, tmp_path) as proxy:
        load.ask_for(6)
        body = RULE.format(service=SERVICE, metric=load.metric, after="restore")
        with (
            running_agent(tmp_path, proxy.url, rules(tmp_path, body)) as agent,
            recording(one_node.manager, SERVICE) as record,
        ):
            scene = Scene(one_node, tmp_path, proxy, agent, load, record)
            scene.wait_replicas(6)
            load.ask_for(2)
            scene.wait_reason("stabilized", current=6)
            for count in (3, 5):
                scene.scale_by_hand(count)
                scene.wait_reason("stabilized", current=count)
            assert scene.written() == []
        assert record.replicas[-1] == 5


def test_keep_replicas_deploys_without_a_dip(one_node: Swarm, tmp_path: Path) -> None:
    """`keep-replicas | docker stack deploy` changes the image and at no moment the count."""
    with shop(one_node, tmp_path, "wait") as scene:
        file = compose(tmp_path, WORK_IMAGE_2, at_once=5)
        before = len(scene.record.seen)
        kept = scene.agent.command("keep-replicas", str(file))
        assert kept.returncode == 0, kept.stderr
        assert kept.stdout == file.read_text().replace("replicas: 2", "replicas: 10")
        assert "2 -> 10" in kept.stderr
        deploy(one_node, kept.stdout)
        scene.wait_rolled_out(10)
        scene.wait_reason("within_tolerance", current=10)
    seen = scene.record.seen[before:]
    assert {update_state(service) for _, service in seen} & ROLLING
    assert {replicas(service) for _, service in seen} == {10}
    assert scene.written() == []
