"""The agent as an operator runs it: `swarm-monitor run` as a process, asked over HTTP."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.demo_real.errors import DemoError

_ROOT = Path(__file__).parents[2]
USUAL_PORT = 9580
_SAMPLE = re.compile(
    r"^(?P<name>swarm_task_\w+)\{(?P<labels>[^}]*)\} (?P<value>\S+)$", re.MULTILINE
)
_LABEL = re.compile(r'(\w+)="([^"]*)"')

Json = dict[str, Any]


class Agent:
    """Runs with the rules of `rules/`; its log is `log`. Stop it, whatever happens.

    `mark` goes into its environment, so that whoever removes the Swarm finds it too.
    """

    def __init__(self, docker: str, log: Path, mark: Mapping[str, str]) -> None:
        self.log = log
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.docker = docker
        options = ["--docker", docker, "--rules", "rules", "--listen", f"127.0.0.1:{self.port}"]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "monitor.cli.main", "run", *options],
                cwd=_ROOT,
                env={**_without_settings(), **mark},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # a Ctrl-C is for the demo, which then stops the agent
            )

    def wait_ready(self, timeout: float = 30) -> None:
        """Return once it knows its Swarm; raises DemoError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        words = "it did not listen"
        while time.monotonic() < deadline:
            self.check_alive()
            try:
                self._get("/readyz", timeout=2)
            except urllib.error.HTTPError as error:
                words = error.read().decode().strip()
            except OSError:
                pass
            else:
                return
            time.sleep(0.1)
        raise DemoError(f"the agent was not ready within {timeout:.0f} s: {words}")

    def check_alive(self) -> None:
        """Raises DemoError where it has ended by itself."""
        if (code := self._process.poll()) is not None:
            raise DemoError(f"the agent ended with {code}:\n{tail(self.log)}")

    def service(self, name: str) -> Json | None:
        """One service as `/api/v1/status` shows it, None where it is not known yet."""
        status = self._json("/api/v1/status")
        return next((entry for entry in status["services"] if entry["name"] == name), None)

    def decisions(self, service: str) -> list[Json]:
        """Its decisions, oldest first, as `/api/v1/decisions` shows them."""
        query = urllib.parse.urlencode({"service": service, "limit": 1000})
        newest_first: list[Json] = self._json(f"/api/v1/decisions?{query}")
        return newest_first[::-1]

    def task_samples(self, service: str, *metrics: str) -> list[dict[str, float]]:
        """Metrics of a service's tasks in one scrape of `/metrics`: for each, task id -> value."""
        found: dict[str, dict[str, float]] = {metric: {} for metric in metrics}
        for match in _SAMPLE.finditer(self._get("/metrics")):
            labels = dict(_LABEL.findall(match["labels"]))
            if match["name"] in found and labels.get("service_name") == service:
                found[match["name"]][labels["task_id"]] = float(match["value"])
        return list(found.values())

    def stop(self, timeout: float = 10) -> None:
        """End it in good order, by force after `timeout` seconds."""
        self._process.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _json(self, path: str) -> Any:
        return json.loads(self._get(path))

    def _get(self, path: str, timeout: float = 5) -> str:
        with urllib.request.urlopen(self.url + path, timeout=timeout) as answer:
            text: bytes = answer.read()
        return text.decode()


def tail(log: Path, lines: int = 15) -> str:
    """The end of a log; empty where there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def _free_port() -> int:
    for port in (USUAL_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise DemoError("no free port on 127.0.0.1")


def _without_settings() -> dict[str, str]:
    # What is set for an agent of one's own is not meant for this one.
    return {k: v for k, v in os.environ.items() if not k.startswith("SWARM_MONITOR_")}
