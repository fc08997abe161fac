"""The agent as a process of its own beside a real engine, as an operator runs it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families


class AgentProcess:
    """`swarm-monitor run` on a port of its own; its log is JSON lines in a file.

    prefix: put before the command, say to run it with fewer rights.
    """

    def __init__(
        self,
        folder: Path,
        docker: str,
        rules: Path | None,
        *options: str,
        prefix: Sequence[str] = (),
    ) -> None:
        self.log = folder / f"agent-{time.monotonic_ns()}.log"
        command = [*prefix, sys.executable, "-m", "monitor.cli.main", "run", "--docker", docker]
        command += ["--listen", "127.0.0.1:0", "--log-format", "json", *options]
        if rules is not None:
            command += ["--rules", str(rules)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stderr=log, stdout=log)
        self.port = 0

    def lines(self) -> list[dict[str, Any]]:
        """What it logged so far; a line that is no JSON is given as its text."""
        return [_parsed(line) for line in self.log.read_text().splitlines() if line.strip()]

    def messages(self) -> list[str]:
        return [str(line["event"]) for line in self.lines()]

    def wait_started(self, timeout: float = 20) -> None:
        def listening() -> bool:
            for line in self.lines():
                if line["event"] == "swarm-monitor started":
                    self.port = int(str(line["listen"]).rpartition(":")[2])
            return self.port > 0

        wait_for(listening, timeout, lambda: f"the agent to start; it said {self.messages()}")

    def wait_ready(self, timeout: float = 20) -> None:
        self.wait_started(timeout)
        wait_for(
            lambda: self.get("/readyz")[0] == 200,
            timeout,
            lambda: f"the agent to be ready; it says {self.get('/readyz')}",
        )

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and body, whatever the status; no answer within 5 s raises."""
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def json(self, path: str) -> Any:
        return json.loads(self.get(path)[1])

    def decisions(self, service: str) -> list[dict[str, Any]]:
        """Newest first; none while the service is not known."""
        status, body = self.get(f"/api/v1/decisions?service={service}&limit=1000")
        return json.loads(body) if status == 200 else []

    def reason(self, service: str) -> str:
        """Of the newest decision; "" before the first."""
        decisions = self.decisions(service)
        return str(decisions[0]["reason"]) if decisions else ""

    def metric(self, name: str, **labels: str) -> float | None:
        """The sample with these labels (others ignored), None where there is none."""
        found = [
            sample.value
            for family in text_string_to_metric_families(self.get("/metrics")[1])
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return found[0] if found else None

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command of ours that asks this agent."""
        return subprocess.run(
            [sys.executable, "-m", "monitor.cli.main", *arguments],
            env=os.environ | {"SWARM_MONITOR_AGENT": f"http://127.0.0.1:{self.port}"},
            capture_output=True,
            text=True,
            timeout=30,
        )

    def stop(self, timeout: float = 12) -> int:
        """SIGTERM; the exit code. Must end within `timeout` seconds."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@contextlib.contextmanager
def running_agent(
    folder: Path,
    docker: str,
    rules: Path | None = None,
    *options: str,
    ready: bool = True,
    prefix: Sequence[str] = (),
) -> Iterator[AgentProcess]:
    """An agent that is ready (or at least listens), ended when the block ends."""
    agent = AgentProcess(folder, docker, rules, *options, prefix=prefix)
    try:
        if ready:
            agent.wait_ready()
        else:
            agent.wait_started()
        yield agent
    except BaseException:
        print(f"--- the agent's log\n{agent.log.read_text()[-8000:]}")
        raise
    finally:
        if agent.process.poll() is None:
            agent.kill()


def wait_for(condition: Any, timeout: float, what: Any) -> None:
    """Asks until `condition()` is true; AssertionError with `what()` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout} s for {what()}"
        time.sleep(0.1)


def _parsed(line: str) -> dict[str, Any]:
    try:
        parsed = json.loads(line)
    except ValueError:
        return {"event": line}
    return parsed if isinstance(parsed, dict) else {"event": line}
