"""A real Swarm as a side of the suite: five engines on this machine."""

from __future__ import annotations

import asyncio
import json
import urllib.parse
from collections.abc import Sequence

from tests.conformance.client import Client
from tests.conformance.play import Play, Scenario, Transcript
from tests.conformance.world import AILING, CRASH, DONE, SICK, STEADY, STEADY_2, Tapes
from tests.real.lab import Swarm
from tests.real.lab.images import work_tar

_AT_ONCE = 6  # scenarios, on a machine of two cores
_UNTIL_TOLD = 'trap "exit 0" TERM; while :; do sleep 100000 & wait $!; done'
_STUBBORN = 'trap "exit 143" TERM; while :; do sleep 100000 & wait $!; done'
_COMMANDS = {
    AILING: ["sh", "-c", _STUBBORN],
    SICK: ["sh", "-c", _STUBBORN],
    STEADY: ["sh", "-c", _UNTIL_TOLD],
    STEADY_2: ["sh", "-c", _UNTIL_TOLD],
    CRASH: ["sh", "-c", "exit 1"],
    DONE: ["sh", "-c", "exit 0"],
}


class RealWorld:
    """A lab's Swarm of NODES; its managers miss a node that is gone after some 6 s."""

    def __init__(self, swarm: Swarm) -> None:
        self.swarm = swarm
        self.clients = {node.name: Client(node.socket) for node in swarm.nodes}

    async def lose(self, node: str) -> None:
        await asyncio.to_thread(self.swarm.node(node).kill)

    async def bring_back(self, node: str) -> None:
        await asyncio.to_thread(self.swarm.node(node).start)

    def prepare(self) -> None:
        """The images on all nodes, and managers that notice quickly."""
        for image, command in _COMMANDS.items():
            self._import(image, command)
        raw = self.swarm.manager.api("GET", "/swarm")
        raw["Spec"]["Dispatcher"]["HeartbeatPeriod"] = 2_000_000_000
        version = raw["Version"]["Index"]
        self.swarm.manager.api("POST", f"/swarm/update?version={version}", raw["Spec"])

    def _import(self, image: str, command: list[str]) -> None:
        name, _, tag = image.partition(":")
        changes = f"CMD {json.dumps(command)}"
        query = {"fromSrc": "-", "repo": name, "tag": tag, "changes": changes}
        for node in self.swarm.nodes:
            url = f"/images/create?{urllib.parse.urlencode(query)}"
            node.api("POST", url, work_tar(tag), timeout=120)


async def play_real(scenarios: Sequence[Scenario]) -> dict[str, Transcript | Exception]:
    """The transcripts by scenario, or what it raised; all on one Swarm, several at once."""
    with Swarm.start(3, 2, images=(), in_memory=True) as swarm:
        world = RealWorld(swarm)
        await asyncio.to_thread(world.prepare)
        async with Tapes().running(world.clients) as tapes:
            turns = asyncio.Semaphore(_AT_ONCE)
            found: dict[str, Transcript | Exception] = {}

            async def take_turn(scenario: Scenario) -> None:
                async with turns:
                    found[scenario.name] = await _play(scenario, world, tapes)

            async with asyncio.TaskGroup() as group:
                for scenario in scenarios:
                    if not scenario.alone:
                        group.create_task(take_turn(scenario))
            for scenario in scenarios:
                if scenario.alone:
                    found[scenario.name] = await _play(scenario, world, tapes)
            return found


async def _play(scenario: Scenario, world: RealWorld, tapes: Tapes) -> Transcript | Exception:
    play = Play(world, tapes)
    try:
        await play.learn_nodes()
        await scenario.play(play)
    except Exception as error:  # told with the others': one must not end them all
        return error
    return play.transcript
