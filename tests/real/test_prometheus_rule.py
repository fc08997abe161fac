"""A rule that follows a query of a real Prometheus server on a real Swarm."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.real.acting import IDLE_COMMAND, recording, rules
from tests.real.agent import running_agent, wait_for
from tests.real.lab import Swarm

pytestmark = pytest.mark.slow

RULES = """
- name: by-queue
  services: [shop_worker]
  scale:
    min: 1
    max: 6
    metrics:
      - type: prometheus
        query: 'sum(queue_length{queue="$service", team=~"blue$"})'
        target: 10
        per: replica
        interval: 1s
        timeout: 2s
    scale_down: {stabilization_window: 2s}
"""
SERVED_FOR = 2 * 1.0 + 2.0
"""Seconds for which a number of that rule is still given out once no newer one comes."""


@dataclass(slots=True)
class Queue:
    """What the exporter says."""

    length: int
    port: int = 0


@contextlib.contextmanager
def exporter(length: int) -> Iterator[Queue]:
    """An application with a queue, which a Prometheus server may scrape."""
    queue = Queue(length)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            lines = (
                f'queue_length{{queue="shop_worker",team="blue"}} {queue.length}',
                'queue_length{queue="shop_worker",team="bluer"} 1000',
                'queue_length{queue="other",team="blue"} 1000',
            )
            body = "".join(f"{line}\n" for line in lines).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    queue.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.1,))
    thread.start()
    try:
        yield queue
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Prometheus:
    """A server of its own on loopback, which can be stopped and started again."""

    def __init__(self, folder: Path, target: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self.folder = folder
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            "scrape_configs:\n"
            f"  - {{job_name: app, static_configs: [{{targets: ['127.0.0.1:{target}']}}]}}\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [
            program("prometheus"),
            f"--config.file={self.folder}/prometheus.yml",
            f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        with (self.folder / "prometheus.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        if os.environ.get("REQUIRE_REAL") == "1":
            pytest.fail(f"{name} is missing: install the package prometheus", pytrace=False)
        pytest.skip(f"{name} is missing: install the package prometheus")
    return path


@contextlib.contextmanager
def prometheus(folder: Path, target: int) -> Iterator[Prometheus]:
    server = Prometheus(folder, target)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_a_service_follows_a_query_up_and_down(one_node: Swarm, tmp_path: Path) -> None:
    """Up and down with the number; without the server nothing goes down, and `why` says so."""
    one_node.create_service("shop_worker", "--replicas=2", command=IDLE_COMMAND)
    one_node.wait_running("shop_worker", 2)
    place = rules(tmp_path, RULES)
    docker = one_node.manager.url
    with (
        exporter(20) as queue,
        prometheus(tmp_path, queue.port) as server,
        running_agent(tmp_path, docker, place, "--prometheus", server.url) as agent,
        recording(one_node.manager, "shop_worker") as record,
    ):

        def becomes(count: int) -> float:
            began = time.monotonic()
            wait_for(
                lambda: record.replicas[-1] == count,
                30,
                lambda: f"{count}: {record.replicas}, {agent.decisions('shop_worker')[:1]}",
            )
            one_node.wait_running("shop_worker", count)
            return time.monotonic() - began

        wait_for(
            lambda: agent.reason("shop_worker") == "within_tolerance",
            30,
            lambda: f"a number: {agent.decisions('shop_worker')[:1]}",
        )
        queue.length = 45
        up = becomes(5)
        queue.length = 25
        down = becomes(3)
        server.stop()
        queue.length = 1
        gone = time.monotonic()
        why = ""

        def explained() -> bool:
            nonlocal why
            said = agent.command("why", "shop_worker", "--json", "--limit", "1")
            why = json.loads(said.stdout)[0]["sentence"] if said.returncode == 0 else said.stderr
            return "cannot be reached: connection refused" in why

        wait_for(explained, 30, lambda: f"the reason; it says {why!r}")
        known = time.monotonic() - gone
        time.sleep(6)
        newest = agent.decisions("shop_worker")[0]
        assert (newest["current"], newest["action"]) == (3, "none")
        assert record.replicas[-1] == 3
        server.start()
        becomes(1)
    print(f"up {up:.1f} s, down {down:.1f} s; known to be gone after {known:.1f} s: {why}")
    assert record.replicas == [2, 5, 3, 1]
    assert known < SERVED_FOR + 8
    lines = [line for line in agent.messages() if "read" in line]
    assert sum("a metric cannot be read" in line for line in lines) <= 2
    assert sum("can be read again" in line for line in lines) >= 1
