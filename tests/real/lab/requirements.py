"""What a lab needs of the machine, and which tools it found."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

from tests.real.lab.errors import LabError

_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"

# command -> the Debian package that holds it
_TOOLS = {
    "dockerd": "docker.io",
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "mount": "mount",
}


def find_tool(name: str) -> str | None:
    """Path of a command, also where it lies in sbin and that is not on PATH."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_SBIN}")


def tool(name: str) -> str:
    """Like `find_tool`, but raises LabError where the command is missing."""
    path = find_tool(name)
    if path is None:
        raise LabError(f"{name} is missing; install {_TOOLS.get(name, name)}")
    return path


def docker_bin() -> str | None:
    """The docker client: the distribution's own, which fits its engine, else the one on PATH."""
    system = Path("/usr/bin/docker")
    return str(system) if os.access(system, os.X_OK) else shutil.which("docker")


def static_busybox() -> str | None:
    """A busybox that runs in an image with nothing else in it, or None."""
    # The last is where scripts/lib/setup.sh unpacks one where the system's own is not static.
    unpacked = f"{sys.prefix}/bin/busybox-static"
    for candidate in ("/bin/busybox", "/usr/bin/busybox", unpacked):
        if os.access(candidate, os.X_OK) and _is_static(Path(candidate)):
            return candidate
    return None


def missing_requirements() -> list[str]:
    """What this machine lacks for a lab, one sentence each; empty where labs can run."""
    if platform.system() != "Linux":
        return ["the lab needs Linux"]
    missing = []
    if os.geteuid() != 0:
        missing.append("the lab needs root (namespaces, cgroups)")
    missing += [
        f"{name} is missing (package {package})"
        for name, package in _TOOLS.items()
        if find_tool(name) is None
    ]
    if docker_bin() is None:
        missing.append("the docker client is missing (package docker.io or docker-cli)")
    if static_busybox() is None:
        missing.append("a static busybox is missing (package busybox-static)")
    if not missing and not _may_make_namespaces():
        missing.append("namespaces cannot be made here (an unprivileged container?)")
    return missing


def _may_make_namespaces() -> bool:
    # CAP_SYS_ADMIN is bit 21 and CAP_NET_ADMIN bit 12 of the effective set (capabilities(7)).
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            effective = int(line.split()[1], 16)
            return bool(effective >> 21 & 1) and bool(effective >> 12 & 1)
    return False


def _is_static(binary: Path) -> bool:
    # A dynamic ELF file names its loader ("ld-linux", "ld-musl") near the start.
    with binary.open("rb") as file:
        return b"/ld-" not in file.read(4096)
