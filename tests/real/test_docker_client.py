"""Docker commands against a real Swarm print what they print against the simulated one."""

import asyncio

import pytest

from tests.docker_cli.play import Client, play, scripts
from tests.docker_cli.recordings import recording
from tests.docker_cli.simulated import simulated
from tests.real.lab import Swarm
from tests.real.lab.requirements import docker_bin


async def _against_simulated(client: str, name: str) -> str:
    async with simulated() as host:
        return await asyncio.to_thread(play, name, Client(client, host))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_client_prints_the_same_on_both() -> None:
    """Every command prints the same lines and exits with the same code, ids and times aside.

    Where there is a recording for the client, it stands for the simulated Swarm, which is held to
    it by tests/unit/simulate/test_docker_transcripts.py.
    """
    client = str(docker_bin())
    expected = {
        name: recording(client, name) or asyncio.run(_against_simulated(client, name))
        for name in scripts()
    }
    with Swarm.start(1, 1) as swarm:
        real = {name: play(name, Client(client, swarm.manager.url)) for name in scripts()}
    assert real == expected
