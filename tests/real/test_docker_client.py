"""The same docker commands against a real Swarm and the simulated one."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from tests.docker_cli.play import Client, play, scripts
from tests.docker_cli.simulated import simulated
from tests.real.lab import Swarm
from tests.real.lab.requirements import docker_bin


async def _against_simulated(client: str) -> dict[str, str]:
    found = {}
    for name in scripts():
        async with simulated() as host:
            found[name] = await asyncio.to_thread(play, name, Client(client, host))
    return found


def test_the_client_prints_the_same_on_both() -> None:
    """Every command prints the same lines and exits with the same code, ids and times aside."""
    client = str(docker_bin())
    with ThreadPoolExecutor(1) as pool, Swarm.start(1, 1) as swarm:
        simulated_ones = pool.submit(asyncio.run, _against_simulated(client))
        real = {name: play(name, Client(client, swarm.manager.url)) for name in scripts()}
    assert simulated_ones.result() == real
