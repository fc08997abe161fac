"""What a scenario is played with: a client's verbs, waiting, and the transcript it leaves."""

from __future__ import annotations

import asyncio
import copy
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.conformance.client import Answer, Client
from tests.conformance.views import Raw, ended, image_of, runs, update_of
from tests.conformance.world import NODES, Tapes, World

_BUSY = ("updating", "rollback_started")
_CONTAINER_ACTIONS = ("create", "start", "oom", "kill", "die", "stop", "destroy")
_EVERY = 0.05  # seconds
_AGREED = ("execDuration",)  # engines from 23.0 alone have it

Transcript = list[list[Any]]


class NotSeen(AssertionError):
    """What a scenario waits for did not come about."""


class Play:
    """One scenario under way. `transcript` holds pairs of what was looked at and what was seen."""

    def __init__(self, world: World, tapes: Tapes) -> None:
        self.world = world
        self.tapes = tapes
        self.transcript: Transcript = []
        self._names: dict[str, str] = {}
        self._slots: dict[tuple[str, Any], list[str]] = defaultdict(list)

    def client(self, node: str = "m1") -> Client:
        return self.world.clients[node]

    # The transcript

    def note(self, what: str, seen: Any) -> None:
        """`seen` without times, with names in the place of ids."""
        self.transcript.append([what, self._named(seen)])

    def note_answer(self, what: str, answer: Answer) -> None:
        """Status and message: upper case, and what wraps an error on its way, are no matter."""
        self.note(what, {"status": answer.status, "message": error_words(answer)})

    def _named(self, seen: Any) -> Any:
        if isinstance(seen, dict):
            return {key: self._named(value) for key, value in seen.items()}
        if isinstance(seen, list | tuple):
            return [self._named(value) for value in seen]
        if not isinstance(seen, str):
            return seen
        known = re.sub(r"\b[0-9a-z]{25}\b", lambda m: self._names.get(m[0], "<id>"), seen)
        return re.sub(r"\b[0-9a-f]{64}\b", lambda m: self._names.get(m[0], "<container>"), known)

    # A client's verbs

    async def create(self, spec: Raw) -> str:
        """The new service's id."""
        answer = await self.client().ask("POST", "/services/create", spec)
        assert answer.status == 201, answer
        self._names[answer.body["ID"]] = f"<{spec['Name']}>"
        return str(answer.body["ID"])

    async def service(self, name: str, node: str = "m1") -> Raw:
        found: Raw = await self.client(node).get(f"/services/{name}")
        return found

    async def write(
        self, raw: Raw, edit: Callable[[Raw], object] = lambda _: None, **params: Any
    ) -> Answer:
        """Post the spec of `raw`, edited, at the version of `raw`."""
        spec = copy.deepcopy(raw["Spec"])
        edit(spec)
        given = {"version": str(raw["Version"]["Index"]), **params}
        return await self.client().ask("POST", f"/services/{raw['ID']}/update", spec, **given)

    async def update(
        self, name: str, edit: Callable[[Raw], object] = lambda _: None, **params: Any
    ) -> Answer:
        """As `write`, of the newest; anew where the version moved meanwhile, as clients do."""
        while True:
            answer = await self.write(await self.service(name), edit, **params)
            if "update out of sequence" not in answer.message:
                assert answer.status == 200, answer
                return answer

    async def leader(self) -> str:
        """The name of the manager that leads."""
        nodes: list[Raw] = await self.client().get("/nodes")
        leading = next(node for node in nodes if node.get("ManagerStatus", {}).get("Leader"))
        return str(leading["Description"]["Hostname"])

    async def tasks(self, service: str, node: str = "m1") -> list[Raw]:
        """By slot and age; each has an `nth` (of all that were seen in its slot, from 1)."""
        found: list[Raw] = await self.client(node).get("/tasks", filters={"service": [service]})
        found.sort(key=lambda task: (task.get("Slot", 0), task["CreatedAt"]))
        for task in found:
            slot = self._slots[service, task.get("Slot") or task.get("NodeID")]
            if task["ID"] not in slot:
                slot.append(task["ID"])
            task["nth"] = slot.index(task["ID"]) + 1
            name = f"<{service}.{task.get('Slot', 'node')}/{task['nth']}>"
            self._names[task["ID"]] = name
            container = task["Status"].get("ContainerStatus", {}).get("ContainerID")
            if container:
                self._names[container] = f"<container of {name[1:-1]}>"
        return found

    async def learn_nodes(self) -> None:
        """From then on their ids are their names in the transcript."""
        for node in await self.client().get("/nodes"):
            self._names[node["ID"]] = f"<{node['Description']['Hostname']}>"

    async def node(self, name: str, via: str = "m1") -> Raw:
        nodes: list[Raw] = await self.client(via).get("/nodes")
        return next(node for node in nodes if node["Description"]["Hostname"] == name)

    async def set_node(self, name: str, **spec: Any) -> Answer:
        node = await self.node(name)
        return await self.client().ask(
            "POST",
            f"/nodes/{node['ID']}/update",
            {**node["Spec"], **spec},
            version=str(node["Version"]["Index"]),
        )

    async def container_of(self, task: Raw) -> tuple[Client, str]:
        """The engine that holds the task's container, and the container's id."""
        nodes: list[Raw] = await self.client().get("/nodes")
        name = next(n["Description"]["Hostname"] for n in nodes if n["ID"] == task["NodeID"])
        return self.client(name), task["Status"]["ContainerStatus"]["ContainerID"]

    async def remove_container(self, task: Raw) -> None:
        """As a person does with `docker rm --force`."""
        client, container = await self.container_of(task)
        answer = await client.ask("DELETE", f"/containers/{container}", force="1")
        assert answer.status == 204, answer

    # Waiting

    async def until(
        self,
        what: str,
        probe: Callable[[], Awaitable[Any]],
        met: Callable[[Any], bool] = bool,
        timeout: float = 40,
    ) -> Any:
        """The first of what `probe` finds that is `met`; NotSeen after `timeout` seconds."""
        clock = asyncio.get_running_loop()
        deadline = clock.time() + timeout
        while True:
            found = await probe()
            if met(found):
                return found
            if clock.time() > deadline:
                raise NotSeen(f"{what} did not come about; last seen: {self._named(found)!r:.1500}")
            await asyncio.sleep(_EVERY)

    async def until_tasks(
        self, service: str, met: Callable[[list[Raw]], bool], what: str, timeout: float = 40
    ) -> list[Raw]:
        found: list[Raw] = await self.until(what, lambda: self.tasks(service), met, timeout)
        return found

    async def until_state(self, service: str, state: str | None, timeout: float = 40) -> Raw:
        """The service once its UpdateStatus has that state."""
        found: Raw = await self.until(
            f"UpdateStatus {state} of {service}",
            lambda: self.service(service),
            lambda raw: update_of(raw).get("State") == state,
            timeout,
        )
        return found

    async def settled(
        self, service: str, running: int, image: str = "", node: str = "m1"
    ) -> list[Raw]:
        """Its tasks once so many run (on `image`), nothing else does and no update is on."""

        async def look() -> tuple[Raw, list[Raw]]:
            return await self.service(service, node), await self.tasks(service, node)

        def met(found: tuple[Raw, list[Raw]]) -> bool:
            raw, tasks = found
            live = [task for task in tasks if not ended(task)]
            return (
                len(live) == running
                and all(runs(task) for task in live)
                and all(image in ("", image_of(task["Spec"])) for task in live)
                and update_of(raw).get("State") not in _BUSY
            )

        found: tuple[Raw, list[Raw]] = await self.until(f"{running} tasks of {service}", look, met)
        return found[1]

    async def until_told(self, service: str, action: str, times: int = 1) -> None:
        """Until its engines told so often that a container of the service did that."""

        async def look() -> bool:
            return [name for name, _ in self.container_events(service)].count(action) >= times

        await self.until(f"{action} told of a container of {service}", look)

    async def until_service_told(self, service: str, action: str, **attributes: str) -> None:
        """Until m1 told it of the service; `attributes` have _ for the dot of their names."""
        wanted = {key.replace("_", "."): value for key, value in attributes.items()}

        async def look() -> bool:
            told = self.service_events(service)
            return any(name == action and wanted.items() <= said.items() for name, said in told)

        await self.until(f"{action} {wanted} told of {service}", look)

    # Views

    def service_events(self, name: str) -> list[list[Any]]:
        """What manager m1 told of the service: actions and attributes, in order."""
        told = self.tapes.of(["m1"], "service", "name", name)
        return [[event["Action"], event["Actor"]["Attributes"]] for event in told]

    def health_events(self, service: str) -> list[str]:
        """What all engines told of its containers' health, and of their ends."""
        key = "com.docker.swarm.service.name"
        told = [event["Action"] for event in self.tapes.of(NODES, "container", key, service)]
        return [one for one in told if one.startswith("health_status") or one == "die"]

    def container_events(self, service: str, *nodes: str) -> list[tuple[str, Raw]]:
        """What the engines of the nodes (or all) told of the service's containers."""
        key = "com.docker.swarm.service.name"
        told = self.tapes.of(nodes or NODES, "container", key, service)
        return [
            (event["Action"], _plain(event["Actor"]["Attributes"]))
            for event in told
            if event["Action"] in _CONTAINER_ACTIONS
        ]


def _plain(attributes: Raw) -> Raw:
    return {key: value for key, value in attributes.items() if key not in _AGREED}


# What engines of different versions say in different words.
_SAID_BEFORE = r"you cannot remove a running container .*\. stop the container before attempting.*"
_SAID_NOW = (
    r"cannot remove container .*: container is running: stop the container before removing.*"
)
_RUNS = "container is running: stop it before removing it, or use force"


def error_words(answer: Answer) -> str:
    """Its message without capitals, in the same words whatever the engine's version."""
    return re.sub(f"{_SAID_BEFORE}|{_SAID_NOW}", _RUNS, answer.message.strip().lower())


@dataclass(frozen=True, slots=True)
class Scenario:
    """about: for the table in the docs. alone: it harms what others stand on."""

    name: str
    about: str
    play: Callable[[Play], Awaitable[None]]
    alone: bool = False
