"""What the docker client prints against the simulated Swarm is what it printed on a real one."""

import asyncio
import os
import shutil

import pytest

from tests.docker_cli.play import Client, play, scripts
from tests.docker_cli.recordings import recorded_versions, recording, version_of
from tests.docker_cli.simulated import simulated
from tests.real.lab.requirements import docker_bin


def _client() -> str:
    """The first client here of which there are recordings; skips, or fails where it must not."""
    there = [path for path in (docker_bin(), shutil.which("docker")) if path]
    for path in there:
        if version_of(path) in recorded_versions():
            return path
    found = f"those here are {[version_of(path) for path in there]}" if there else "none is here"
    reason = f"needs a docker client of version {' or '.join(recorded_versions())}, {found}"
    if os.environ.get("REQUIRE_REAL") == "1":
        pytest.fail(f"{reason}; python -m tests.docker_cli record makes others", pytrace=False)
    pytest.skip(reason)


@pytest.mark.parametrize("name", scripts())
async def test_commands_print_what_they_print_against_a_real_swarm(name: str) -> None:
    """Every command of the script: the same lines and exit code, ids and times aside."""
    client = _client()
    async with simulated() as host:
        printed = await asyncio.to_thread(play, name, Client(client, host))
    assert printed == recording(client, name)
