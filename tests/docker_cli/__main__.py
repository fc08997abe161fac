"""Records what docker commands print against a real Swarm, or compares the simulated one with it.

    python -m tests.docker_cli record [CLIENT...]   needs what the tests on real engines need
    python -m tests.docker_cli compare [CLIENT...]

CLIENT: docker clients in place of the machine's own.
"""

import asyncio
import difflib
import sys

from tests.docker_cli.play import Client, play, scripts
from tests.docker_cli.recordings import recording, write_recording
from tests.docker_cli.simulated import simulated
from tests.real.lab import Swarm
from tests.real.lab.requirements import docker_bin


def _record(clients: list[str]) -> int:
    with Swarm.start(1, 1) as swarm:
        for client in clients:
            for name in scripts():
                path = write_recording(client, name, play(name, Client(client, swarm.manager.url)))
                print(path, flush=True)
    return 0


async def _compare(client: str) -> int:
    different = 0
    for name in scripts():
        async with simulated() as host:
            printed = await asyncio.to_thread(play, name, Client(client, host))
        known = recording(client, name)
        if known is None:
            print(f"{name}: nothing is recorded for this client", file=sys.stderr)
            return 2
        lines = difflib.unified_diff(
            known.splitlines(), printed.splitlines(), "real", "simulated", lineterm=""
        )
        for line in lines:
            print(line)
            different = 1
    return different


def main(words: list[str]) -> int:
    clients = words[1:] or [path for path in (docker_bin(),) if path]
    if not clients or not words or words[0] not in ("record", "compare"):
        print(__doc__, file=sys.stderr)
        return 2
    if words[0] == "record":
        return _record(clients)
    return max(asyncio.run(_compare(client)) for client in clients)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
