"""A stand-in for the Prometheus image: this machine's own binary, with the libraries it needs."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path

from tests.real.lab import LabError, Swarm
from tests.real.lab.requirements import find_tool
from tests.real.lab.shell import run

IMAGE = "prometheus:test"


def load_prometheus(swarm: Swarm) -> str:
    """Import it on every node, and return its name; LabError where Prometheus is missing."""
    binary = find_tool("prometheus")
    if binary is None:
        raise LabError("prometheus is missing (package prometheus)")
    path = swarm.folder / "prometheus.tar"
    path.write_bytes(_tar(Path(binary)))
    for node in swarm.nodes:
        node.docker(
            "import", "--change", 'ENTRYPOINT ["/bin/prometheus"]', str(path), IMAGE, timeout=120
        )
    return IMAGE


def _tar(binary: Path) -> bytes:
    # `ldd` prints `name => /path (address)` and, for the loader, `/path (address)`.
    libraries = re.findall(r"(/\S+) \(0x", run(["ldd", str(binary)], check=False))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(binary.resolve(), "bin/prometheus")
        for library in libraries:
            tar.add(Path(library).resolve(), library.lstrip("/"))
        tmp = tarfile.TarInfo("tmp")
        tmp.type, tmp.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(tmp)
    return buffer.getvalue()
