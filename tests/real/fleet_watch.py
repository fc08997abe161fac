"""A record of the services and the lease while something breaks, and what must hold of it.

Times are wall time in seconds: those of the agents' log lines and of the managers' own stamps on
what they keep. All nodes of a lab share one clock.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.real import fleet
from tests.real.acting import replicas
from tests.real.fleet_load import BOUNDS, FleetUnderLoad
from tests.real.lab import ApiError, Node

LEASE = "swarm-monitor-lease"
PAUSE = 0.1
"""Seconds between looks at each manager: with three of them something is seen within 50 ms."""


@dataclass(frozen=True, slots=True)
class Service:
    at: float
    replicas: int


@dataclass(frozen=True, slots=True)
class Lease:
    at: float
    node: str
    term: int
    released: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line that an agent logged."""

    node: str
    at: float
    event: str
    data: dict[str, Any] = field(compare=False)

    @property
    def applied(self) -> tuple[str, int] | None:
        """Service id and version of a decision whose write was applied."""
        if self.data.get("outcome") != "applied":
            return None
        _, service_id, version, _ = str(self.data["decision"]).split("/")
        return service_id, int(version)


class Watch:
    """services: by name, then version. lease: by version. answers: when a read was answered.

    Versions are the raft's, so a late or repeated look at an old one does no harm.
    """

    def __init__(self, load: FleetUnderLoad) -> None:
        self.load = load
        self.swarm = load.swarm
        self.began = time.time()
        self.services: dict[str, dict[int, Service]] = {name: {} for name in BOUNDS}
        self.ids: dict[str, str] = {}
        self.lease: dict[int, Lease] = {}
        self.answers: list[tuple[str, float, float]] = []
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._look, args=(node,)) for node in self.swarm.managers
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(30)

    def _look(self, node: Node) -> None:
        names = urllib.parse.quote(json.dumps({"name": [LEASE]}))
        while not self._ended.wait(PAUSE):
            began = time.time()
            with contextlib.suppress(OSError, ApiError):
                services = node.api("GET", "/services", timeout=1)
                self.answers.append((node.name, began, time.time()))
                for service in services:
                    self._saw_service(service)
                for config in node.api("GET", f"/configs?filters={names}", timeout=1):
                    self._saw_lease(config)

    def _saw_service(self, found: dict[str, Any]) -> None:
        name = found["Spec"]["Name"]
        if name in self.services:
            self.ids[name] = found["ID"]
            seen = Service(stamp(found["UpdatedAt"]), replicas(found))
            self.services[name][found["Version"]["Index"]] = seen

    def _saw_lease(self, found: dict[str, Any]) -> None:
        labels = found["Spec"]["Labels"]
        said = {key.rpartition(".")[2]: value for key, value in labels.items()}
        self.lease[found["Version"]["Index"]] = Lease(
            stamp(found["UpdatedAt"]),
            said["node_name"],
            int(said["term"]),
            said["released"] == "true",
        )

    # What was seen

    def history(self, service: str) -> list[int]:
        """Replica counts by version, oldest first."""
        return [one.replicas for _, one in sorted(self.services[service].items())]

    def writes(self, service: str, since: float = 0.0) -> list[Service]:
        """The versions after the first one, that is all writes by anybody; after that time."""
        seen = [one for _, one in sorted(self.services[service].items())]
        return [one for one in seen[1:] if one.at > since]

    def lease_changed(self, before: float) -> float:
        """When the lease was last changed before that time."""
        return max(one.at for one in self.lease.values() if one.at <= before)

    def holders(self, at: float) -> set[str]:
        """Nodes whose agents held the lease at about that time, as its versions tell."""
        steps = [one for _, one in sorted(self.lease.items())]
        near = [one for one in steps if abs(one.at - at) < 0.3]
        before = [one for one in steps if one.at <= at]
        return {one.node for one in [*before[-1:], *near]}

    def answered(self, since: float) -> float:
        """When the first read was answered that was asked after that time."""
        return min(ended for _, began, ended in list(self.answers) if began > since)

    def lines(self, node: Node | None = None) -> list[Line]:
        """What the agents (that on `node` alone) logged since the watch began, oldest first."""
        nodes = self.swarm.nodes if node is None else [node]
        found = (line for one in nodes if one.running for line in log_lines(one))
        return sorted((line for line in found if line.at >= self.began), key=lambda one: one.at)

    def when(self, event: str, node: Node | None = None, since: float = 0.0) -> float | None:
        """The time of the first such line after that time, None where there is none."""
        for line in self.lines(node):
            if event in line.event and line.at >= since:
                return line.at
        return None

    # What must hold

    def check(self, *, at_most_lines: int, lost: int = 0, falls: tuple[str, ...] = ()) -> str:
        """Whatever broke: only the holder wrote, each decision once, within bounds, never down.

        at_most_lines: what each agent may have logged since the watch began. lost: writes whose
        line may be missing, since the agent was killed at that moment. falls: services that were
        told to come down. Returns a line on what was seen.
        """
        lines, written = self._settled(lost)
        applied = [line for line in lines if line.applied]
        for line in applied:
            assert line.node in self.holders(line.at), (line, self.holders(line.at), self.lease)
        twice = {key: n for key, n in Counter(line.applied for line in applied).items() if n > 1}
        assert not twice, twice
        assert self._all_told(lines, written, lost), (written, applied)
        for service, (least, most) in BOUNDS.items():
            history = self.history(service)
            assert all(least <= count <= most for count in history), (service, history)
            if service not in falls:
                assert history == sorted(history), (service, history)
        logged = Counter(line.node for line in lines)
        assert not logged or max(logged.values()) <= at_most_lines, self._loudest(lines)
        return f"{written} writes, at most {max(logged.values(), default=0)} lines by one agent"

    def _settled(self, lost: int) -> tuple[list[Line], int]:
        """All lines and the number of writes; tried again where one came in between."""
        for _ in range(10):
            lines = self.lines()
            written = sum(len(self.writes(service)) for service in BOUNDS)
            if self._all_told(lines, written, lost):
                break
            time.sleep(0.3)
        return lines, written

    def _all_told(self, lines: list[Line], written: int, lost: int) -> bool:
        """Whether all writes that were seen are told, and the other way round."""
        applied = sum(line.applied is not None for line in lines)
        unsure = sum(line.data.get("outcome") in ("unknown", "failed") for line in lines)
        return applied <= written <= applied + unsure + lost

    def _loudest(self, lines: list[Line]) -> str:
        (node, count), *_ = Counter(line.node for line in lines).most_common()
        said = Counter(line.event for line in lines if line.node == node).most_common(12)
        return f"{node} logged {count} lines, mostly {said}"


def log_lines(node: Node) -> list[Line]:
    """All that agents on this node logged, oldest first; what is no JSON has the time 0."""
    found = []
    for text in fleet.agent_log(node).splitlines():
        try:
            data = json.loads(text)
            found.append(Line(node.name, stamp(data["timestamp"]), str(data["event"]), data))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def stamp(text: str) -> float:
    """Seconds of a time as Go and the agents write it: in UTC, with up to nine digits."""
    whole, _, digits = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{digits or 0}")


@contextlib.contextmanager
def watching(load: FleetUnderLoad) -> Iterator[Watch]:
    """Looks at all managers while the block lasts."""
    watch = Watch(load)
    watch.start()
    try:
        yield watch
    finally:
        watch.end()
