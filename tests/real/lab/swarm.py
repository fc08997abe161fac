"""A Swarm of several engines: up in seconds, gone without a trace."""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.real.lab import engine, keeper, network, reaper
from tests.real.lab.api import ApiError
from tests.real.lab.errors import LabError
from tests.real.lab.images import WORK_IMAGE, WORK_IMAGE_2, work_tar
from tests.real.lab.node import Node
from tests.real.lab.requirements import missing_requirements

_PORT = 2377


class Swarm:
    """Nodes m1.. (managers) and w1.. (workers) in one Swarm; use it in a `with` statement."""

    def __init__(
        self, managers: int, workers: int, roots: Mapping[str, Path], *, in_memory: bool = False
    ) -> None:
        self.folder = reaper.create_folder(in_memory=in_memory)
        self.name = self.folder.name
        self._keeper = keeper.start(self.folder)
        engine.prepare(self.folder)
        cables = network.Network(self.name)
        names = [f"m{i + 1}" for i in range(managers)] + [f"w{i + 1}" for i in range(workers)]
        self.nodes = [
            Node(self.folder, cables, name, number, roots.get(name))
            for number, name in enumerate(names, start=1)
        ]
        self.managers = self.nodes[:managers]
        self.workers = self.nodes[managers:]
        self._cables = cables
        self.seconds_to_start = 0.0

    @classmethod
    def start(
        cls,
        managers: int = 1,
        workers: int = 0,
        *,
        images: Sequence[str] = (WORK_IMAGE, WORK_IMAGE_2),
        roots: Mapping[str, Path] | None = None,
        in_memory: bool = False,
    ) -> Self:
        """Bring up a Swarm with the work images on every node, and return when it is ready.

        `roots` names nodes that run an engine of another version: node name -> its file tree.
        `in_memory` keeps the engines' data in memory, which larger images need to be fast.
        Raises LabError where the machine lacks something or an engine does not start.
        """
        missing = missing_requirements()
        if missing:
            raise LabError("; ".join(missing))
        reaper.reap_stale()
        began = time.monotonic()
        swarm = cls(managers, workers, roots or {}, in_memory=in_memory)
        try:
            swarm._bring_up(images)
        except BaseException:
            swarm.close()
            raise
        swarm.seconds_to_start = time.monotonic() - began
        return swarm

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the Swarm: processes, namespaces, cgroups, files. May be called again."""
        try:
            _each(lambda node: node.kill(), self.nodes)
            if self.folder.exists():
                reaper.destroy(self.folder)
        finally:
            self._keeper.kill()
            self._keeper.wait()

    # Asking

    @property
    def manager(self) -> Node:
        """The first manager whose engine can answer."""
        for node in self.managers:
            if node.running and not node.frozen:
                return node
        raise LabError("no manager runs")

    def node(self, name: str) -> Node:
        """The node of that name."""
        return next(node for node in self.nodes if node.name == name)

    def leader(self, timeout: float = 60) -> Node:
        """The manager that leads, as a manager that can be reached sees it."""
        found: list[Node] = []

        def ask() -> bool:
            found.extend(self._leaders())
            return bool(found)

        eventually(ask, timeout, "a leader")
        return found[0]

    def wait_ready(self, timeout: float = 60) -> None:
        """Return once every node that runs and is plugged in is ready, managers reachable."""
        expected = {n.node_id for n in self.nodes if n.running and n.connected and not n.frozen}
        managers = {n.node_id for n in self.managers} & expected

        def ready() -> bool:
            seen = {entry["ID"]: entry for entry in self.leader(timeout).api("GET", "/nodes")}
            return all(
                seen.get(i, {}).get("Status", {}).get("State") == "ready" for i in expected
            ) and all(seen[i].get("ManagerStatus", {}).get("Reachability") for i in managers)

        eventually(ready, timeout, "all nodes to be ready")

    # Images and services

    def import_image(self, reference: str, root_tar: bytes) -> None:
        """Make an image of a root file system, on every running node."""
        name, _, tag = reference.partition(":")
        query = urllib.parse.urlencode({"fromSrc": "-", "repo": name, "tag": tag or "latest"})
        _each(lambda n: n.api("POST", f"/images/create?{query}", root_tar, timeout=120), self._up())

    def load_image(self, archive: Path) -> None:
        """Load an archive that `docker save` wrote, on every running node."""
        _each(lambda n: n.docker("load", "--input", str(archive), timeout=300), self._up())

    def create_service(
        self,
        name: str,
        *options: str,
        image: str = WORK_IMAGE,
        command: Sequence[str] = ("sleep", "100000"),
    ) -> str:
        """Create a service without waiting for its tasks; returns its id.

        `options` are those of `docker service create`. Without `--stop-grace-period` a task is
        killed after 1 s, since a shell as process 1 ignores SIGTERM.
        """
        if not any(option.startswith("--stop-grace-period") for option in options):
            options = (*options, "--stop-grace-period=1s")
        flags = ("--detach", "--no-resolve-image", "--quiet", "--name", name)
        return self.manager.docker("service", "create", *flags, *options, image, *command)

    def remove_services(self) -> None:
        """Remove all services and wait until none of their tasks is left.

        Those of a job that completed stay in the Swarm for ever (seen on engine 20.10).
        """
        for service in self.manager.api("GET", "/services"):
            self.manager.api("DELETE", f"/services/{service['ID']}")

        def gone() -> bool:
            left = self.manager.api("GET", "/tasks")
            return all(task["Status"]["State"] == "complete" for task in left)

        eventually(gone, 60, "all tasks to be gone")

    def tasks(self, service: str) -> list[dict[str, Any]]:
        """All tasks of a service (name or id), dead ones included, as the API gives them."""
        filters = urllib.parse.quote(json.dumps({"service": [service]}))
        found: list[dict[str, Any]] = self.manager.api("GET", f"/tasks?filters={filters}")
        return found

    def running(self, service: str) -> list[dict[str, Any]]:
        """The tasks of a service that run and shall run."""
        return [
            task
            for task in self.tasks(service)
            if task["DesiredState"] == "running" and task["Status"]["State"] == "running"
        ]

    def wait_running(self, service: str, count: int, timeout: float = 60) -> list[dict[str, Any]]:
        """Return the running tasks once there are exactly `count` of them."""

        def say() -> str:
            ends = [(t["Status"]["State"], t["Status"].get("Err", "")) for t in self.tasks(service)]
            return f"{count} running tasks of {service}, its tasks: {ends}"

        eventually(lambda: len(self.running(service)) == count, timeout, say)
        return self.running(service)

    def _up(self) -> list[Node]:
        return [node for node in self.nodes if node.running and not node.frozen]

    def _leaders(self) -> list[Node]:
        for node in self.managers:
            if not (node.running and node.connected and not node.frozen):
                continue
            try:
                entries = node.api("GET", "/nodes", timeout=3)
            except (OSError, ApiError):
                continue
            leading = {e["ID"] for e in entries if e.get("ManagerStatus", {}).get("Leader")}
            return [node for node in self.managers if node.node_id in leading]
        return []

    def _bring_up(self, images: Sequence[str]) -> None:
        self._cables.create()
        first, *others = self.nodes

        def prepare(node: Node) -> None:
            node.start()
            if node is first:
                self._init()

        _each(prepare, self.nodes)
        # One after the other: two managers that join at once make each other's quorum wait.
        for node in others:
            self._join(node)
        for image in images:
            self.import_image(image, work_tar(image.partition(":")[2]))
        self.wait_ready()

    def _init(self) -> None:
        first = self.nodes[0]
        first.node_id = first.api(
            "POST",
            "/swarm/init",
            {"ListenAddr": f"0.0.0.0:{_PORT}", "AdvertiseAddr": first.address},
        )

    def _join(self, node: Node) -> None:
        first = self.nodes[0]
        role = "Manager" if node in self.managers else "Worker"
        body = {
            "ListenAddr": f"0.0.0.0:{_PORT}",
            "AdvertiseAddr": node.address,
            "RemoteAddrs": [f"{first.address}:{_PORT}"],
            "JoinToken": first.api("GET", "/swarm")["JoinTokens"][role],
        }
        node.api("POST", "/swarm/join", body, timeout=60)
        node.node_id = node.api("GET", "/info")["Swarm"]["NodeID"]


def eventually(
    condition: Callable[[], bool], timeout: float, what: str | Callable[[], str]
) -> None:
    """Return once `condition` holds; LabError after `timeout` seconds.

    An engine's error or silence counts as "not yet": it is what a Swarm in motion answers.
    """
    deadline = time.monotonic() + timeout
    last: Exception | None = None
    while True:
        try:
            if condition():
                return
            last = None
        except (OSError, ApiError) as error:
            last = error
        if time.monotonic() > deadline:
            words = what if isinstance(what, str) else what()
            raise LabError(f"waited {timeout} s for {words}") from last
        time.sleep(0.05)


def _each(action: Callable[[Node], object], nodes: Iterable[Node]) -> None:
    """Do it on all nodes at once; raises the first error after all have ended."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        futures = [pool.submit(action, node) for node in nodes]
    for future in futures:
        future.result()
