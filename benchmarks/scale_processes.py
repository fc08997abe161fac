"""The simulated Swarm and the agent as processes of their own, and what they use."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.priority import prefer

_TICKS = os.sysconf("SC_CLK_TCK")
_PROMETHEUS = {
    "Accept": "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5",
    "Accept-Encoding": "gzip",
}
_PLAIN = {"Accept": "text/plain"}
_DELAY = "swarm_agent_event_loop_delay_seconds_bucket"
_SUMS = {
    "swarm_rule_evaluations_total": "evaluations",
    "swarm_agent_docker_request_duration_seconds_count": "requests",
    "swarm_agent_events_total": "events",
}


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process used in `elapsed` seconds; `waiting`: seconds ready without a processor."""

    cpu: float
    kernel: float
    waiting: float
    elapsed: float
    at: float

    def since(self, before: Usage) -> Usage:
        return Usage(
            self.cpu - before.cpu,
            self.kernel - before.kernel,
            self.waiting - before.waiting,
            self.at - before.at,
            self.at,
        )

    @property
    def cores(self) -> float:
        return self.cpu / self.elapsed

    @property
    def waiting_share(self) -> float:
        return self.waiting / self.elapsed


class Process:
    """`python -m monitor.cli.main ARGUMENTS` until the block ends."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self._arguments = [sys.executable, "-m", "monitor.cli.main", *arguments]
        self._log = log
        self.began = 0.0

    def __enter__(self) -> Self:
        self.began = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._arguments,
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parents[1],
                start_new_session=True,
            )
        prefer(self._process.pid)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if kind is not None:
            print(self._log.read_text()[-3000:], file=sys.stderr)

    def check_alive(self) -> None:
        if self._process.poll() is not None:
            raise SystemExit(f"{' '.join(self._arguments[2:4])} ended:\n{self._log.read_text()}")

    def usage(self) -> Usage:
        """Since its start."""
        root = Path(f"/proc/{self._process.pid}")
        fields = (root / "stat").read_text().rpartition(")")[2].split()
        # Nanoseconds on a processor, and ready to run without one (sched-stats.rst), by thread.
        waiting = sum(
            int((task / "schedstat").read_text().split()[1]) for task in (root / "task").iterdir()
        )
        user, kernel = int(fields[11]) / _TICKS, int(fields[12]) / _TICKS
        now = time.monotonic()
        return Usage(user + kernel, kernel, waiting / 1e9, now - self.began, now)

    @property
    def resident(self) -> int:
        """Bytes."""
        return self._status("VmRSS")

    @property
    def peak(self) -> int:
        """The most bytes that were resident at a time."""
        return self._status("VmHWM")

    def _status(self, name: str) -> int:
        text = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
        return int(found[1]) * 1024 if found else 0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(str(self._path))


class Simulated(Process):
    def __init__(self, path: Path, scenario: Path, nodes: int) -> None:
        self.socket = path
        arguments = ["simulate", "--socket", str(path), "--scenario", str(scenario)]
        super().__init__([*arguments, "--nodes", str(nodes)], path.with_suffix(".log"))

    def running(self) -> int:
        """How many tasks run; -1 while it does not answer yet."""
        connection = _UnixConnection(self.socket)
        try:
            connection.request("GET", "/services?status=true")
            services = json.loads(connection.getresponse().read())
        except OSError:
            return -1
        finally:
            connection.close()
        return sum(service["ServiceStatus"]["RunningTasks"] for service in services)

    def wait_running(self, tasks: int, *, share: float, timeout: float) -> None:
        while (found := self.running()) < share * tasks:
            self.check_alive()
            if time.monotonic() - self.began > timeout:
                raise SystemExit(f"only {found} tasks run after {timeout:.0f} s")
            time.sleep(1.0)


class Agent(Process):
    def __init__(self, engine: Path, rules: Path, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        super().__init__(
            [
                *("run", "--docker", f"unix://{engine}", "--rules", str(rules)),
                *("--listen", f"127.0.0.1:{self._port}"),
            ],
            log,
        )

    def _get(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def wait_ready(self, timeout: float) -> float:
        """Seconds from its start until /readyz says so."""
        while (waited := time.monotonic() - self.began) < timeout:
            self.check_alive()
            try:
                status, _ = self._get("/readyz", {})
            except OSError:
                status = 0
            if status == 200:
                return time.monotonic() - self.began
            time.sleep(0.02)
        raise SystemExit(f"not ready after {waited:.0f} s")

    def until_acting(self, timeout: float) -> None:
        """Only the agent that acts exports the Swarm."""
        began = time.monotonic()
        while not self._values(names=["swarm_cluster_managers"]):
            if time.monotonic() - began > timeout:
                raise SystemExit("it does not act: so the Swarm's series are not there")
            time.sleep(0.1)

    def scrape(self, *, plain: bool) -> tuple[float, int]:
        """Seconds that it took, and its bytes unpacked."""
        began = time.monotonic()
        status, body = self._get("/metrics", _PLAIN if plain else _PROMETHEUS)
        took = time.monotonic() - began
        if status != 200:
            raise SystemExit(f"a scrape was answered with {status}")
        return took, len(body if plain else gzip.decompress(body))

    def number(self, name: str) -> float:
        return next(iter(self._values([name]).values()), 0.0)

    def numbers(self) -> dict[str, float]:
        """Counters by series, and sums of some by a name of their own."""
        found = self._values([*_SUMS, "swarm_agent_resync_total", _DELAY])
        for series, value in list(found.items()):
            name = _SUMS.get(series.partition("{")[0])
            if name is not None:
                found[name] = found.get(name, 0.0) + value
        return dict.fromkeys(_SUMS.values(), 0.0) | found

    def delays(self, counted: dict[str, float]) -> list[tuple[float, float]]:
        """The histogram of the loop's delays in what was counted: bound, how many up to it."""
        return sorted(
            (float(series.partition('le="')[2].rstrip('"}')), count)
            for series, count in counted.items()
            if series.startswith(_DELAY)
        )

    def _values(self, names: Iterable[str]) -> dict[str, float]:
        query = "&".join(f"name[]={name}" for name in names)
        _, body = self._get(f"/metrics?{query}", _PLAIN)
        lines = (line.rpartition(" ") for line in body.decode().splitlines() if line[:1] != "#")
        return {series: float(value) for series, _, value in lines}
