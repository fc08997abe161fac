"""A client that calls every replica of services over their overlay network, all the time."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.real.lab import Node, Swarm, inside

PORT = 80


@dataclass(slots=True)
class Round:
    """One call to each of a service's tasks that were known to run right before: task id to
    whether it answered."""

    at: float
    answered: dict[str, bool]

    @property
    def up(self) -> int:
        return sum(self.answered.values())


@dataclass(slots=True)
class Calls:
    """By service, oldest first."""

    rounds: dict[str, list[Round]] = field(default_factory=dict)

    def fewest(self, service: str) -> int:
        """The fewest replicas that answered in any round."""
        return min(one.up for one in self.rounds[service])

    def told(self, service: str) -> str:
        calls = [answered for one in self.rounds[service] for answered in one.answered.values()]
        share = 100.0 * sum(calls) / len(calls)
        return (
            f"{service}: {len(calls)} calls in {len(self.rounds[service])} rounds, {share:.2f}% "
            f"answered; never fewer than {self.fewest(service)} replicas"
        )


@contextlib.contextmanager
def calling(
    swarm: Swarm, client: Node, network: Path, services: Sequence[str], pause: float = 0.1
) -> Iterator[Calls]:
    """Calls from that network namespace on node `client`, which the services' network is in."""
    calls, ended = Calls({name: [] for name in services}), threading.Event()
    faults: list[BaseException] = []

    def work() -> None:
        try:
            with ThreadPoolExecutor(16) as pool:
                while not ended.is_set():
                    for name in services:
                        tasks = swarm.running(name)
                        results = pool.map(lambda task: _answers(network, task), tasks)
                        found = dict(zip((task["ID"] for task in tasks), results, strict=True))
                        calls.rounds[name].append(Round(time.monotonic(), found))
                    ended.wait(pause)
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=work, name="caller")
    thread.start()
    try:
        yield calls
    finally:
        ended.set()
        thread.join(30)
    if faults:
        raise faults[0]


def _answers(network: Path, task: dict[str, Any]) -> bool:
    attachments = task.get("NetworksAttachments") or []
    for attachment in attachments:
        if attachment["Network"]["Spec"]["Name"] == "ingress":
            continue
        address = attachment["Addresses"][0].partition("/")[0]
        connection = http.client.HTTPConnection(address, PORT, timeout=5)
        try:
            connection.sock = inside.connect(network, address, PORT, 5)
            connection.request("GET", "/")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
    return False
