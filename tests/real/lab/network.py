"""The lab's network: a bridge in a namespace of its own, one namespace per node.

Nothing of it touches the machine's own network: both ends of every cable lie in namespaces of the
lab. 198.18.0.0/15 is set aside for bench tests (RFC 2544), so no engine picks it for a network.
"""

from __future__ import annotations

from pathlib import Path

from tests.real.lab.requirements import tool
from tests.real.lab.shell import run

SUBNET = "198.18.0.0/24"
NAMESPACES = Path("/var/run/netns")


class Network:
    """Cables of one lab; `lab` is the lab's name, a prefix of all its namespaces."""

    def __init__(self, lab: str) -> None:
        self._lab = lab
        self._ip = tool("ip")
        self._hub = self.namespace("hub")

    def namespace(self, node: str) -> str:
        """The name of a node's network namespace."""
        return f"{self._lab}.{node}"

    def create(self) -> None:
        """Make the bridge; its own address lets a process in the hub reach every node."""
        run([self._ip, "netns", "add", self._hub])
        self._batch(
            self._hub,
            "link set lo up",
            "link add bridge type bridge",
            "addr add 198.18.0.254/24 dev bridge",
            "link set bridge up",
        )

    def attach(self, node: str, number: int) -> str:
        """Make a node's namespace, plug it into the bridge, and return its address."""
        namespace = self.namespace(node)
        address = f"198.18.0.{number}"
        run([self._ip, "netns", "add", namespace])
        self._batch(
            self._hub,
            f"link add {node} type veth peer name eth0 netns {namespace}",
            f"link set {node} master bridge",
            f"link set {node} up",
        )
        self._batch(
            namespace,
            "link set lo up",
            f"addr add {address}/24 dev eth0",
            "link set eth0 up",
        )
        return address

    def plug(self, node: str, *, connected: bool) -> None:
        """Move the far end of a node's cable up or down: the node keeps its routes."""
        self._batch(self._hub, f"link set {node} {'up' if connected else 'down'}")

    def _batch(self, namespace: str, *commands: str) -> None:
        script = "\n".join(commands)
        run([self._ip, "-n", namespace, "-batch", "-"], stdin=script)


def prefix(namespace: str) -> list[str]:
    """What to put before a command so that it runs in that network namespace.

    Not `ip netns exec`: that mounts /sys anew and hides the cgroups.
    """
    return [tool("nsenter"), f"--net={NAMESPACES / namespace}"]


def remove(lab: str) -> list[str]:
    """Delete all namespaces of a lab, cables and bridge with them; returns those that stayed."""
    names = namespaces(lab)
    for name in names:
        run([tool("ip"), "netns", "delete", name], check=False)
    return namespaces(lab) if names else []


def namespaces(lab: str) -> list[str]:
    """The lab's network namespaces that exist."""
    return sorted(entry.name for entry in NAMESPACES.glob(f"{lab}.*"))
