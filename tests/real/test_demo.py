"""The demo on a real engine, as someone runs it who has just cloned the repository."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.lab import eventually, processes, reaper

# The whole show, and what needs most of it, in scripts/thorough: `scripts/demo` itself simulates.
slow, thorough = pytest.mark.slow, pytest.mark.thorough

_ROOT = Path(__file__).parents[2]
_BEGINS = "starting a private Swarm"
_UP = re.compile(r"\[up\] +web: 1 -> \d")


class Demo:
    """A demo that runs; what it prints goes to a file."""

    def __init__(self, output: Path, *options: str) -> None:
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scripts.demo_real", *options],
                cwd=_ROOT,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self._output.read_text()

    @property
    def lab(self) -> Path:
        """The folder of its Swarm: named after its process."""
        return reaper.BASE / f"swarm-lab-{self.process.pid}-1"

    def wait_for(self, words: str | re.Pattern[str], timeout: float = 40) -> None:
        def said() -> bool:
            assert self.process.poll() is None, self.text
            return re.search(words, self.text) is not None

        eventually(said, timeout, lambda: f"{words!r} in:\n{self.text}")

    def agent_pid(self) -> int:
        """The agent's process, found by the mark of the lab."""
        (found,) = [
            pid
            for pid in processes.marked(self.lab)
            if b"monitor.cli.main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        return found

    def end(self, timeout: float) -> int:
        """Its exit status, which must come within `timeout` seconds."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running after {timeout} s:\n{self.text}")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Starts demos, and leaves nothing of them also where a test fails."""
    started: list[Demo] = []

    def start(*options: str) -> Demo:
        started.append(Demo(tmp_path / "output", *options))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        eventually(lambda lab=one.lab.name: not reaper.remains(lab), 30, "the lab to be gone")


@contextlib.contextmanager
def usual_port_taken() -> Iterator[None]:
    """Something listens on 9580 in this block: we, unless another does already."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(socket.create_server(("127.0.0.1", 9580)))
        yield


@thorough
def test_it_shows_scaling_up_and_back(demo: Callable[..., Demo]) -> None:
    """The whole show ends well within 100 s, beside an agent on the usual port, says what it is."""
    began = time.monotonic()
    with usual_port_taken():
        shown = demo()
        assert shown.end(100) == 0, shown.text
    print(f"the show took {time.monotonic() - began:.1f} s")
    text = shown.text
    for words in (
        "the load: each replica is a shell loop",
        "QUIET",
        "LOAD STARTS",
        "CALM",
        "One decision whole",
        "Where to go on",
        "agent, engine and all they made are gone",
    ):
        assert words in text, text
    assert _UP.search(text), text
    assert re.search(r"\[down\] +web: .* -> 1 replica\b", text), text
    assert re.search(r"http://127\.0\.0\.1:\d+/metrics", text)
    assert "--agent http://127.0.0.1:" in text
    most = re.search(r"all (\d) replicas ran \(most\) +[\d.]+ s after its begin", text)
    assert most
    assert 3 <= int(most[1]) <= 6
    assert re.search(r"back at 1 replica +[\d.]+ s after its end", text), text
    assert reaper.remains(shown.lab.name) == []


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(_BEGINS, marks=slow, id="while it starts"),
        pytest.param(_UP, marks=thorough, id="under load"),
    ],
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once(
    demo: Callable[..., Demo], moment: str | re.Pattern[str], number: signal.Signals
) -> None:
    """Ctrl-C, also twice, ends it within 10 s: no process, namespace, mount, cgroup, file stays."""
    shown = demo()
    shown.wait_for(moment)
    if moment == _BEGINS:
        eventually(shown.lab.exists, 10, "its folder")
        time.sleep(0.7)  # an engine is being started
    began = time.monotonic()
    shown.process.send_signal(number)
    shown.process.send_signal(number)
    assert shown.end(10) == 130, shown.text
    print(f"ended after {time.monotonic() - began:.1f} s")
    assert "interrupted" in shown.text
    assert "Traceback" not in shown.text
    assert reaper.remains(shown.lab.name) == []


@slow
def test_a_dead_agent_is_told_and_its_log_kept(demo: Callable[..., Demo]) -> None:
    """Where the agent ends by itself the demo fails soon, with the reason and the logs' place."""
    shown = demo()
    shown.wait_for("QUIET")
    os.kill(shown.agent_pid(), signal.SIGKILL)
    assert shown.end(15) == 1
    assert "the agent ended with -9" in shown.text
    kept = re.search(r"logs of agent and engine are kept in (\S+)", shown.text)
    assert kept, shown.text
    folder = Path(kept[1])
    assert "swarm-monitor started" in (folder / "agent.log").read_text()
    assert (folder / "m1.log").exists()
    shutil.rmtree(folder)
    assert reaper.remains(shown.lab.name) == []


@slow
def test_killed_it_leaves_no_agent(demo: Callable[..., Demo]) -> None:
    """Even after SIGKILL of the demo its agent and its Swarm are removed."""
    shown = demo()
    shown.wait_for("QUIET")
    assert shown.agent_pid()
    shown.process.kill()
    eventually(lambda: not reaper.remains(shown.lab.name), 30, "all to be gone")


@slow
def test_without_root_it_says_what_to_do() -> None:
    """Who is not root is told so, before anything is installed, and how to go on."""
    refused = subprocess.run(
        ["unshare", "--user", "scripts/demo", "--real"], cwd=_ROOT, capture_output=True, text=True
    )
    if "unshare" in refused.stderr:
        pytest.skip(refused.stderr)
    assert refused.returncode == 1
    assert "only root may do" in refused.stderr
    assert "sudo scripts/demo --real" in refused.stderr
