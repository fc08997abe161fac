"""Programs of this machine inside the network of an agent's container, or in the agent's place."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.real import fleet
from tests.real.lab import Node, eventually, inside
from tests.real.lab.image import ROOT
from tests.real.lab.requirements import tool

STREAM_PORT = 9581
PORT = 9999


def network_of(node: Node) -> Path:
    """The network namespace of the node's agent."""
    return node.proc / str(fleet.agent_container(node)["State"]["Pid"]) / "ns" / "net"


def overlay_address(node: Node) -> str:
    """Where other nodes' agents reach this one: "HOST:PORT"."""
    networks = fleet.agent_container(node)["NetworkSettings"]["Networks"]
    return f"{networks[f'{fleet.STACK}_fleet']['IPAddress']}:{STREAM_PORT}"


def run_there(node: Node, *arguments: str, timeout: float = 60) -> str:
    """What the impostor program prints, run in the network of the node's agent."""
    command = [sys.executable, "-m", "tests.real.impostor", *arguments]
    return node.run_in_netns(
        [tool("nsenter"), f"--net={network_of(node)}", f"--wd={ROOT}", *command], timeout=timeout
    )


@contextlib.contextmanager
def started_there(node: Node, command: Sequence[str], log: Path) -> Iterator[None]:
    """`command` in the network of the node's agent until the block ends, once it listens."""
    network = network_of(node)
    entered = [tool("nsenter"), f"--net={network}", f"--wd={ROOT}", *command]
    with log.open("wb") as out:
        process = node.popen(entered, stdout=out, stderr=out)
    try:
        eventually(lambda: _listens(network), 30, lambda: f"it to listen: {log.read_text()}")
        yield
    finally:
        process.kill()
        process.wait(10)
        print(f"--- {log.name}\n{log.read_text()[-3000:]}")


@contextlib.contextmanager
def in_place_of_agent(node: Node, command: Sequence[str], log: Path) -> Iterator[None]:
    """While the block lasts others reach what `command` serves on PORT instead of the agent.

    The agent itself runs on: whoever tries again afterwards finds it. Connections that managers
    had are cut at the beginning and at the end, as by a crash.
    """
    network = network_of(node)
    with started_there(node, command, log):
        _filter(node, network, "--insert")
        try:
            yield
        finally:
            _filter(node, network, "--delete")


def impostor(*arguments: str) -> list[str]:
    """The command for that kind of impostor on PORT."""
    kind, *rest = arguments
    return [sys.executable, "-m", "tests.real.impostor", kind, str(PORT), *rest]


def _listens(network: Path) -> bool:
    inside.connect(network, "127.0.0.1", PORT, 2).close()
    return True


def _filter(node: Node, network: Path, change: str) -> None:
    known, own = str(STREAM_PORT), str(PORT)
    for table, chain, port, target in (
        # What is new goes to the impostor, so what still comes for the agent is from before.
        ("nat", "PREROUTING", known, ["REDIRECT", "--to-ports", own]),
        ("filter", "INPUT", known, ["REJECT", "--reject-with", "tcp-reset"]),
        # An agent that listens on PORT believes that all others do.
        ("nat", "OUTPUT", own, ["DNAT", "--to-destination", f":{known}"]),
    ):
        node.run_in_netns(
            [
                *[tool("nsenter"), f"--net={network}", tool("iptables"), "--wait"],
                *["--table", table, change, chain, "--protocol", "tcp", "--dport", port],
                *["--jump", *target],
            ]
        )
