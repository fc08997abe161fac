"""The real docker client against the simulated Engine API."""

import asyncio
import time

import pytest

from tests.real.lab.requirements import docker_bin
from tests.unit.simulate.scene import Scene, served

pytestmark = pytest.mark.skipif(docker_bin() is None, reason="no docker client is installed here")


async def _docker(scene: Scene, *words: str, fails: bool = False) -> str:
    """What it prints, on both streams."""
    client = await asyncio.create_subprocess_exec(
        str(docker_bin()),
        "--host",
        scene.url(),
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        output, _ = await client.communicate()
    assert (client.returncode != 0) is fails, output.decode()
    return output.decode()


def _columns(table: str, *wanted: str) -> list[tuple[str, ...]]:
    """Cells of a table below its heading."""
    heading, *lines = table.splitlines()
    begins = [heading.index(word) for word in wanted]
    return [tuple(line[begin:].split("  ")[0].strip() for begin in begins) for line in lines]


async def test_the_listed_commands_work() -> None:
    """Create, ls, ps, scale, update, inspect, rollback and rm do what they do on a real Swarm."""
    async with served() as scene:
        created = await _docker(
            scene, "service", "create", "--quiet", "--name", "web", "--replicas=2", "web:1"
        )
        assert len(created.split()[-1]) == 25  # behind a word on the registry that was not asked
        listed = await _docker(scene, "service", "ls")
        assert _columns(listed, "NAME", "MODE", "REPLICAS", "IMAGE") == [
            ("web", "replicated", "2/2", "web:1")
        ]
        scaled = await _docker(scene, "service", "scale", "web=3")
        assert "converged" in scaled.splitlines()[-1]
        await _docker(scene, "service", "update", "--quiet", "--image", "web:2", "web")
        history = _columns(await _docker(scene, "service", "ps", "web"), "IMAGE", "DESIRED STATE")
        assert history.count(("web:2", "Running")) == 3
        assert history.count(("web:1", "Shutdown")) == 3
        format_ = "{{.Spec.TaskTemplate.ContainerSpec.Image}} {{.UpdateStatus.State}}"
        shown = await _docker(scene, "service", "inspect", "--format", format_, "web")
        assert shown.strip() == "web:2 completed"
        await _docker(scene, "service", "rollback", "--quiet", "--detach", "web")
        shown = await _docker(scene, "service", "inspect", "--format", format_, "web")
        assert shown.startswith("web:1 rollback_")
        assert (await _docker(scene, "service", "rm", "web")).strip() == "web"
        words = await _docker(scene, "service", "rm", "web", fails=True)
        assert "o such service: web" in words or "service web not found" in words


async def test_nodes_events_and_the_daemon_itself() -> None:
    """`node ls`, `config ls`, `version`, `info` and `events` print what they find."""
    async with served() as scene:
        scene.swarm.create_config("settings", {}, b"x")
        scene.swarm.create_service("web", image="web:1")
        nodes = _columns(
            await _docker(scene, "node", "ls"), "HOSTNAME", "STATUS", "AVAILABILITY", "MANAGER"
        )
        assert nodes == [
            ("m1", "Ready", "Active", "Leader"),
            ("w1", "Ready", "Active", ""),
            ("w2", "Ready", "Active", ""),
        ]
        assert "settings" in await _docker(scene, "config", "ls")
        assert "swarm-monitor simulate" in await _docker(scene, "version")
        info = await _docker(scene, "info")
        assert "Swarm: active" in info
        assert "Nodes: 3" in info
        events = await _docker(
            scene,
            "events",
            "--since",
            "1h",
            "--until",
            str(int(time.time()) + 2),
            "--filter",
            "type=service",
        )
        assert "service create" in events
        assert "(name=web)" in events
