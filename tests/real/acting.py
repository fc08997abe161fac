"""What tests of the acting agent share: services under load, rule files, a record of a service."""

from __future__ import annotations

import contextlib
import copy
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.real.agent import AgentProcess, wait_for
from tests.real.lab import ApiError, Node, Swarm

Json = dict[str, Any]

# Burns CPU while the file /load/on is there. Ends at once on SIGTERM, so that removing a task
# does not take its grace period.
LOAD_COMMAND = (
    "sh",
    "-c",
    (
        "trap 'exit 0' TERM; while :; do if [ -e /load/on ]; then i=0; "
        "while [ $i -lt 2000 ]; do i=$((i+1)); done; else sleep 0.5; fi; done"
    ),
)
ROLLING = {"updating", "paused", "rollback_started", "rollback_paused"}
IDLE_COMMAND = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.5; done")


class Load:
    """A switch for the load of all tasks that mount its folder at /load."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "load"
        self.folder.mkdir(mode=0o755)
        self._file = self.folder / "on"

    @property
    def mount(self) -> str:
        """An option of `docker service create`."""
        return f"--mount=type=bind,src={self.folder},dst=/load"

    def on(self) -> float:
        """The monotonic time at which it began."""
        self._file.touch()
        return time.monotonic()

    def off(self) -> None:
        self._file.unlink(missing_ok=True)


def rules(folder: Path, body: str) -> Path:
    """A folder with one file of these rules: a list in YAML."""
    place = folder / "rules"
    place.mkdir(exist_ok=True)
    indented = "\n".join(f"  {line}" for line in body.strip("\n").splitlines())
    (place / "rules.yml").write_text(f"version: 1\nrules:\n{indented}\n")
    return place


def inspect(node: Node, service: str) -> Json:
    """The service as the API gives it."""
    found: Json = node.api("GET", f"/services/{service}")
    return found


def update(node: Node, service: str, **changes: Any) -> Json:
    """A person's update: reads, sets, writes, again if somebody else was faster.

    Changes: image, command, replicas, env (a list), label. Returns the service as it was
    changed, which is right before the update.
    """
    while True:
        before = inspect(node, service)
        spec = copy.deepcopy(before["Spec"])
        container = spec["TaskTemplate"]["ContainerSpec"]
        for key, name in (("image", "Image"), ("command", "Args"), ("env", "Env")):
            if key in changes:
                container[name] = changes[key]
        if "replicas" in changes:
            spec["Mode"]["Replicated"]["Replicas"] = changes["replicas"]
        if "label" in changes:
            spec.setdefault("Labels", {})["touched"] = changes["label"]
        version = before["Version"]["Index"]
        try:
            node.api("POST", f"/services/{before['ID']}/update?version={version}", spec)
        except ApiError as error:
            if "out of sequence" not in str(error):
                raise
        else:
            return before


def replicas(service: Json) -> int:
    found: int = service["Spec"]["Mode"]["Replicated"]["Replicas"]
    return found


def update_state(service: Json) -> str | None:
    """None also where the status is empty, which is how some engines spell it."""
    return (service.get("UpdateStatus") or {}).get("State")


def with_replicas(spec: Json, count: int) -> Json:
    """The same spec with another replica count."""
    changed = copy.deepcopy(spec)
    changed["Mode"]["Replicated"]["Replicas"] = count
    return changed


def applied(agent: AgentProcess) -> list[Json]:
    """The log lines of its writes that were applied; `decided_on` is the version."""
    lines = [line for line in agent.lines() if line.get("outcome") == "applied"]
    return [{**line, "decided_on": int(line["decision"].split("/")[2])} for line in lines]


def wait_for_samples(agent: AgentProcess, service: str) -> None:
    """Until usage is judged: an agent that was just started knows of none."""
    wait_for(
        lambda: any(seen["used"] for d in agent.decisions(service)[:1] for seen in d["inputs"]),
        30,
        lambda: f"samples of {service}: {agent.decisions(service)[:1]}",
    )


@dataclass(slots=True)
class Record:
    """What was seen of a service, by its versions: the first look at each, oldest first."""

    seen: list[tuple[float, Json]] = field(default_factory=list)
    looks: int = 0

    @property
    def replicas(self) -> list[int]:
        return [replicas(service) for _, service in self.seen]

    def when(self, count: int) -> float | None:
        """The monotonic time of the first look at that replica count."""
        return next((at for at, service in self.seen if replicas(service) == count), None)


@contextlib.contextmanager
def recording(node: Node, service: str, pause: float = 0.02) -> Iterator[Record]:
    """Looks at a service all the time while the block lasts."""
    record, ended = Record(), threading.Event()
    faults: list[BaseException] = []

    def look() -> None:
        newest = 0
        while not ended.wait(pause):
            found = inspect(node, service)
            record.looks += 1
            if found["Version"]["Index"] != newest:
                newest = found["Version"]["Index"]
                record.seen.append((time.monotonic(), found))

    def run() -> None:
        try:
            look()
        except BaseException as error:
            faults.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        wait_for(lambda: record.looks or faults, 30, lambda: f"a look at {service}")
        yield record
    finally:
        ended.set()
        thread.join(30)
    if faults:
        raise faults[0]


def all_on_spec(swarm: Swarm, service: str) -> bool:
    """Whether as many tasks run as wanted, all of them of the present task template's kind."""
    found = inspect(swarm.manager, service)
    wanted = found["Spec"]["TaskTemplate"]["ContainerSpec"]
    running = swarm.running(service)
    return len(running) == replicas(found) and all(
        task["Spec"]["ContainerSpec"] == wanted for task in running
    )
