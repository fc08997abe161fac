"""Addresses, and the sentence for each way in which nobody is there."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.engine.address import MAX_SOCKET_PATH, parse_address
from monitor.engine.client import DockerEngine
from monitor.ports.errors import EngineError, Forbidden, Unreachable


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name, readable for all."""
    made = Path(tempfile.mkdtemp(dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize(
    ("url", "base", "path"),
    [
        ("unix:///var/run/docker.sock", "http://localhost", "/var/run/docker.sock"),
        ("unix://var/run/docker.sock", "http://localhost", "/var/run/docker.sock"),
        ("tcp://10.0.0.1:2375", "http://10.0.0.1:2375", None),
        ("tcp://[::1]:2375", "http://[::1]:2375", None),
        ("http://proxy:2375/", "http://proxy:2375", None),
        ("https://proxy", "https://proxy", None),
    ],
)
def test_addresses_are_read(url: str, base: str, path: str | None) -> None:
    """Each spelling of an address leads to its place."""
    address = parse_address(url)
    assert (address.base, address.socket_path) == (base, path)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "write unix://"),
        ("/var/run/docker.sock", "write unix:///var/run/docker.sock"),
        ("ssh://me@host", "write unix://"),
        ("unix://", "names no socket"),
        ("tcp://", "names no host"),
        ("tcp://host", "write tcp://host:2375"),
        ("tcp://host:port", "write tcp://host:2375"),
        ("unix:///" + "x" * MAX_SOCKET_PATH, "107 bytes"),
    ],
)
def test_a_bad_address_says_what_to_write(url: str, words: str) -> None:
    """What is no address is refused with what to write instead."""
    with pytest.raises(ValueError, match=words):
        DockerEngine(url)


async def _ping(url: str) -> EngineError:
    async with DockerEngine(url) as engine:
        with pytest.raises(EngineError) as caught:
            await engine.ping()
        return caught.value


async def test_each_way_of_not_being_there_has_its_sentence(folder: Path) -> None:
    """No socket, a directory, a file, nobody listening: each says what to look at."""
    missing = await _ping(f"unix://{folder}/none")
    assert isinstance(missing, Unreachable)
    assert str(missing).startswith(f"no Docker socket at {folder}/none: is the engine running")

    (folder / "dir").mkdir()
    directory = await _ping(f"unix://{folder}/dir")
    assert isinstance(directory, Unreachable)
    assert "is a directory" in str(directory)

    (folder / "file").write_text("")
    plain = await _ping(f"unix://{folder}/file")
    assert isinstance(plain, Unreachable)
    assert "is not a socket" in str(plain)

    with socket.socket(socket.AF_UNIX) as unused:
        unused.bind(str(folder / "dead"))
    dead = await _ping(f"unix://{folder}/dead")
    assert isinstance(dead, Unreachable)
    assert "nothing listens" in str(dead)


async def test_a_refused_port_says_so() -> None:
    """A TCP port where nobody listens is told as such."""
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        fault = await _ping(f"tcp://127.0.0.1:{own.getsockname()[1]}")
    assert isinstance(fault, Unreachable)
    assert "nothing listens at http://127.0.0.1:" in str(fault)


async def test_a_forbidden_socket_names_its_group(folder: Path) -> None:
    """Whoever may not open the socket learns which group may."""
    if os.geteuid() != 0:
        pytest.skip("only root can drop to another user")
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(str(folder / "s"))
        own.listen()
        os.chown(folder / "s", 0, 4711)
        (folder / "s").chmod(0o660)
        os.seteuid(65534)
        try:
            fault = await _ping(f"unix://{folder}/s")
        finally:
            os.seteuid(0)
    assert isinstance(fault, Forbidden)
    assert "member of the socket's group (gid 4711)" in str(fault)


async def test_a_closed_engine_says_so() -> None:
    """Calls before opening and after closing are faults of the family."""
    engine = DockerEngine("unix:///nowhere")
    with pytest.raises(Unreachable, match="closed"):
        await engine.ping()
    await engine.open()
    await engine.close()
    await engine.close()
    with pytest.raises(Unreachable, match="closed"):
        await engine.nodes()
