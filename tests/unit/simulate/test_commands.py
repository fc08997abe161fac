"""The commands `simulate` and `demo` as somebody starts them, with the agent beside."""

import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from monitor.demo.show import Drawing
from monitor.demo.watch import News, Row

_ROOT = Path(__file__).parents[3]
_PATIENCE = 60.0

_SCENARIO = """
version: 1
nodes: [{name: m1, role: manager}, {name: w1}]
services:
  - {name: web, image: "web:1", replicas: 2, cpu_limit: 0.5, cpu: 0.9, start: 0.1s}
"""
_RULES = """
version: 1
rules:
  - {name: load, services: [web], scale: {min: 1, max: 6, metrics: [{type: cpu, target: 50%}]}}
"""


class Command:
    """One that runs; what it prints goes to a file."""

    def __init__(self, output: Path, *words: str) -> None:
        self.output = output
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SWARM_MONITOR_")}
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "monitor.cli.main", *words],
                cwd=_ROOT,
                env=environment,
                stdout=file,
                stderr=file,
            )

    @property
    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, words: str) -> re.Match[str]:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if found := re.search(words, self.text):
                return found
            assert self.process.poll() is None, self.text
            time.sleep(0.05)
        pytest.fail(f"{words!r} was not said in:\n{self.text}")

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short: a socket's path has an end."""
    with tempfile.TemporaryDirectory(prefix="sim-") as name:
        yield Path(name)


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.loads(answer.read())


def test_the_unmodified_agent_scales_a_simulated_service(folder: Path) -> None:
    """`run` against the socket of `simulate` sees the load and writes more replicas."""
    (folder / "scenario.yml").write_text(_SCENARIO)
    (folder / "rules.yml").write_text(_RULES)
    path = folder / "docker.sock"
    simulated = Command(
        folder / "simulate.log",
        *("simulate", "--socket", str(path), "--scenario", str(folder / "scenario.yml")),
        *("--engines", str(folder), "--whole"),
    )
    agent = None
    try:
        simulated.wait_for("is up")
        assert (folder / "w1.sock").is_socket()
        agent = Command(
            folder / "agent.log",
            *("run", "--docker", f"unix://{path}", "--rules", str(folder / "rules.yml")),
            *("--listen", "127.0.0.1:0", "--log-format", "json"),
            *("--cgroup-root", str(folder), "--proc-root", str(folder)),
        )
        port = agent.wait_for(r'"listen": "127\.0\.0\.1:(\d+)"')[1]
        url = f"http://127.0.0.1:{port}/api/v1/status"
        deadline = time.monotonic() + _PATIENCE
        running = 0
        while running < 4 and time.monotonic() < deadline:
            time.sleep(0.2)
            running = next((s["running"] for s in _get(url)["services"]), 0)
        # 0.9 cores are 45% of four times 0.5, and 60% of three.
        assert running == 4, agent.text
        assert agent.end() == 0, agent.text
        assert simulated.end() == 0, simulated.text
        assert not path.exists()
    finally:
        for command in (agent, simulated):
            if command is not None and command.process.poll() is None:
                command.process.kill()
                command.process.wait()


def test_the_demo_shows_scaling_and_ends_by_itself(folder: Path) -> None:
    """Within seconds, at ten times the pace, services are scaled and the page's API answers."""
    demo = Command(folder / "demo.log", "demo", "--port", "0", "--speed", "10", "--for", "600")
    try:
        url = demo.wait_for(r"page (http://127\.0\.0\.1:\d+)/ ")[1]
        demo.wait_for(r"\[up\] +web: 1 -> \d")
        status = _get(f"{url}/api/v1/status")
        assert {service["name"] for service in status["services"]} >= {"web", "search", "orders"}
        assert len(status["nodes"]) == 5
        assert status["actor"] == "m1"
        assert demo.end() == 0, demo.text
        assert "the simulated Swarm is gone" in demo.text
        assert "Traceback" not in demo.text
    finally:
        if demo.process.poll() is None:
            demo.process.kill()
            demo.process.wait()


def test_they_end_by_themselves_when_told(folder: Path) -> None:
    """`--for` ends both in order."""
    path = str(folder / "s.sock")
    for words in (("simulate", "--socket", path), ("demo", "--port", "0", "--speed", "5")):
        command = Command(folder / "output", *words, "--for", "1")
        assert command.process.wait(_PATIENCE) == 0, command.text


def test_what_is_wrong_is_said_at_the_start(folder: Path) -> None:
    """A file in the socket's place, a long path, a bad scenario: one sentence, exit code 1."""
    (folder / "file").write_text("x")
    (folder / "bad.yml").write_text("version: 2\n")
    long = str(folder / ("x" * 120))
    listener = socket.create_server(("127.0.0.1", 0))
    taken = listener.getsockname()[1]
    for words, said in (
        (("simulate", "--socket", str(folder / "file")), "is not a socket"),
        (("simulate", "--socket", str(folder / "no" / "s")), "make it first"),
        (("simulate", "--socket", long), "longer than 107 bytes"),
        (("demo", "--scenario", str(folder / "bad.yml")), "bad.yml:1:10: "),
        (("demo", "--rules", str(folder / "none.yml")), "none.yml: no such file or folder"),
        (("demo", "--real"), "sudo scripts/demo --real"),
        (("demo", "--port", str(taken)), "choose another with --port"),
    ):
        command = Command(folder / "output", *words)
        assert command.process.wait(_PATIENCE) == 1, command.text
        assert said in command.text
        assert "Traceback" not in command.text
    listener.close()


def test_the_demo_names_a_service_that_is_there(folder: Path) -> None:
    """What it proposes to type can be started and names a service of the scenario."""
    (folder / "scenario.yml").write_text(_SCENARIO.replace("name: web", "name: api"))
    scenario = str(folder / "scenario.yml")
    demo = Command(folder / "out", "demo", "--scenario", scenario, "--port", "0", "--for", "1")
    assert demo.process.wait(_PATIENCE) == 0, demo.text
    asked = re.search(r"why a service was scaled or not: (\S+) why (\w+)", demo.text)
    assert asked, demo.text
    assert asked[2] == "api"
    assert shutil.which(asked[1], path=os.environ.get("PATH"))


def test_the_picture_fits_a_small_terminal() -> None:
    """24 lines hold the services and all that one may type; of what happened, what is left."""
    drawing = Drawing(0.0, "\n".join(f"foot {number}" for number in range(7)))
    rows = [Row(f"s{number}", "replicated", 2, 2, 0.5, 0.5, "") for number in range(6)]
    news = [News(float(number), "up", f"news {number}") for number in range(8)]
    console = Console(width=80, height=24, file=io.StringIO())
    console.print(drawing.fitting(console, 10.0, rows, news))
    told = console.file.getvalue().splitlines()
    assert len(told) <= 24
    assert any("foot 6" in line for line in told)
    assert any("news 7" in line for line in told)
    assert not any("news 0" in line for line in told)
