"""An engine in the machine's own network that builds images, and leaves that network alone.

Its data is kept from run to run, so that what did not change is not built again.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.real.lab import api, cgroups
from tests.real.lab.errors import LabError
from tests.real.lab.requirements import docker_bin, tool
from tests.real.lab.shell import run

# Process 1 of the namespaces. It ends with its standard input, so with whoever started it, and the
# kernel then ends the engine and every container.
_SCRIPT = """\
set -eu
resolv=$(cat /etc/resolv.conf)
mount --make-rprivate /
umount --recursive --lazy /run/netns 2>/dev/null || true
mount -t tmpfs -o mode=755 tmpfs /run
case $(readlink -m /etc/resolv.conf) in
    /run/*) file=$(readlink -m /etc/resolv.conf); mkdir -p "${file%/*}"; echo "$resolv" >"$file" ;;
esac
trap 'exit 1' TERM
{ "$@" </dev/null; kill -TERM $$; } &
while read -r _; do :; done
"""
_CGROUP = "swarm-lab-builder"


class Builder:
    """The engine while it runs; `docker` is its client."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def docker(
        self, *args: str, timeout: float = 60, check: bool = True, stdin: str | None = None
    ) -> str:
        """Run the docker client and return what it printed; LabError where that fails."""
        client = docker_bin()
        if client is None:
            raise LabError("the docker client is missing")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("DOCKER_")}
        environment |= {"DOCKER_BUILDKIT": "0", "DOCKER_CONFIG": f"{self._socket}.client"}
        command = [client, "--host", f"unix://{self._socket}", *args]
        return run(command, timeout=timeout, check=check, env=environment, stdin=stdin)


@contextmanager
def running(folder: Path) -> Iterator[Builder]:
    """Run the engine on the data in `folder`; only one process at a time may.

    Raises LabError where it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    socket = folder / "docker.sock"
    log = folder / "engine.log"
    (folder / "daemon.json").write_text("{}\n")
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command(folder, socket),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={"PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"},
        )
    try:
        _wait(process, socket, log)
        yield Builder(socket)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        socket.unlink(missing_ok=True)
        cgroups.remove(_CGROUP)


def _command(folder: Path, socket: Path) -> Sequence[str]:
    return [
        tool("unshare"),
        *("--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"),
        *("sh", "-c", _SCRIPT, "builder", tool("dockerd")),
        f"--config-file={folder / 'daemon.json'}",
        f"--host=unix://{socket}",
        f"--data-root={folder / 'data'}",
        "--exec-root=/run/docker",
        "--pidfile=/run/dockerd.pid",
        f"--cgroup-parent=/{_CGROUP}",
        "--exec-opt=native.cgroupdriver=cgroupfs",
        *("--bridge=none", "--iptables=false", "--ip6tables=false"),
        *("--ip-forward=false", "--ip-masq=false"),
    ]


def _wait(process: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            api.call(socket, "GET", "/_ping", timeout=5)
        except (OSError, api.ApiError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                words = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
                raise LabError(f"the engine that builds images did not start: {words}") from error
            time.sleep(0.05)
        else:
            return
