"""What tests of the fleet's faults share: services that ask for scaling, and a record of it all.

with FleetUnderLoad(swarm, folder) as load:
    load.wish(4)                    # `web` shall have 4 replicas, every agent can read that
    with watching(load) as seen:    # all versions of the services and of the lease
        ...
    seen.check()                    # what must hold whatever went wrong meanwhile
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.real import fleet
from tests.real.acting import LOAD_COMMAND, Load, inspect, replicas
from tests.real.lab import Node, Swarm, eventually, inside
from tests.real.lab.image import product_image

GATEWAY = "172.18.0.1"
"""A node as its own containers see it: docker_gwbridge, the second network an engine makes."""

PORT = 8099
RULES = f"""\
version: 1
rules:
  # Follows a number that each node serves to its own agent, also one that is cut off.
  - name: wished
    services: [web]
    scale:
      min: 2
      max: 8
      max_direction_changes: 1000  # each test is a turn
      metrics:
        - {{type: http, url: 'http://{GATEWAY}:{PORT}/', path: wished, target: 1,
           interval: 1s, timeout: 1s}}
      scale_down: {{stabilization_window: 0s, cooldown: 0s}}
  # Follow the CPU use of tasks on workers; nothing slows a scale-down by mistake.
  - name: surging
    services: [surge]
    scale:
      min: 1
      max: 4
      max_direction_changes: 1000
      metrics: [{{type: cpu, cores: 0.03, window: 5s}}]
      scale_down: {{stabilization_window: 0s, cooldown: 0s}}
  - name: working
    services: [busy]
    scale:
      min: 1
      max: 2
      max_direction_changes: 1000
      metrics: [{{type: cpu, cores: 0.02, window: 5s}}]
      scale_down: {{stabilization_window: 0s, cooldown: 0s}}
"""
BOUNDS = {"web": (2, 8), "surge": (1, 4), "busy": (1, 2)}
CALM = {"web": 2, "surge": 1, "busy": 2}


class NumberServer:
    """Answers `{"wished": N}` on every node, from threads of this process."""

    def __init__(self, nodes: list[Node]) -> None:
        self.number = 2
        self._sockets = [inside.listen(node.net_namespace, PORT) for node in nodes]
        self._threads = [
            threading.Thread(target=self._serve, args=(one,), daemon=True) for one in self._sockets
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(5)

    def _serve(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                client.settimeout(1)
                client.recv(4096)
                body = json.dumps({"wished": self.number})
                client.sendall(
                    f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
                )


class FleetUnderLoad:
    """The stack on three managers and two workers, and three services on the workers.

    web follows `wish`, surge the load of `surge`, busy that of `busy`, which is on when it is calm.
    """

    def __init__(self, swarm: Swarm, folder: Path) -> None:
        self.swarm = swarm
        self.surge, self.busy = (Load(self._made(folder / name)) for name in ("surge", "busy"))
        self._numbers = NumberServer(swarm.nodes)
        rules = folder / "faults.yml"
        rules.write_text(RULES)
        self.busy.on()
        on_workers = ("--constraint=node.role==worker", "--limit-cpu=0.05")
        swarm.create_service("web", "--replicas=2", *on_workers)
        for name, load in (("surge", self.surge), ("busy", self.busy)):
            count = f"--replicas={CALM[name]}"
            swarm.create_service(name, count, *on_workers, load.mount, command=LOAD_COMMAND)
        fleet.deploy_stack(swarm, product_image(), rules=rules)

    @staticmethod
    def _made(folder: Path) -> Path:
        folder.mkdir()
        return folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._numbers.close()

    def wish(self, count: int) -> None:
        """From now on `web` shall have so many replicas, as each node tells its own agent."""
        self._numbers.number = count

    def replicas(self, service: str) -> int:
        return replicas(inspect(self.swarm.manager, service))

    def wait_replicas(self, service: str, count: int, timeout: float) -> None:
        eventually(
            lambda: self.replicas(service) == count,
            timeout,
            lambda: f"{service} to be set to {count}; {self._tell(service)}",
        )

    def actor(self, timeout: float = 30) -> Node:
        """The one whose agent says that it acts; waits until there is exactly one."""
        found: list[Node] = []

        def one() -> bool:
            found[:] = fleet.actors(self.swarm)
            return len(found) == 1

        eventually(one, timeout, lambda: f"one to act; {found} say that they do")
        return found[0]

    def calm(self, timeout: float = 90) -> Node:
        """Everything as at the beginning: all agents there, one acts. Returns its node."""
        self.wish(CALM["web"])
        self.surge.off()
        self.busy.on()
        self.swarm.wait_ready()
        fleet.wait_agents(self.swarm)
        for service, count in CALM.items():
            self.wait_replicas(service, count, timeout)
            self.swarm.wait_running(service, count)
        return self.all_heard()

    def all_heard(self, timeout: float = 60) -> Node:
        """Until exactly one acts and every other agent is in touch with it; its node."""
        others = len(self.swarm.nodes) - 1
        eventually(
            lambda: (
                fleet.agent_value(self.actor(timeout), "swarm_agent_peers", state="up") == others
            ),
            timeout,
            "the one that acts to hear all other agents",
        )
        return self.actor(timeout)

    def _tell(self, service: str) -> str:
        """What each manager's agent last decided about it, for a test that failed."""
        said = []
        for node in self.swarm.managers:
            try:
                path = f"/api/v1/decisions?service={service}&limit=1&local=1"
                said.append((node.name, fleet.agent_get(node, path)[1][:700]))
            except OSError as error:
                said.append((node.name, str(error)))
        return str(said)
