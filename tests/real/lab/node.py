"""One node of a lab: an engine that can be killed, stopped, frozen and cut off."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.real.lab import api, cgroups, engine, inside, network, processes
from tests.real.lab.errors import LabError
from tests.real.lab.requirements import docker_bin, tool
from tests.real.lab.shell import run


class Node:
    """An engine in namespaces of its own, with a data folder that outlives it.

    name      also its host name: m1, m2, ... for managers, w1, ... for workers
    socket    path of its Unix socket; `url` is the same as unix://...
    address   its IPv4 address inside the lab
    node_id   its id in the Swarm, empty before it joined
    """

    def __init__(
        self, folder: Path, cables: network.Network, name: str, number: int, root: Path | None
    ) -> None:
        self.name = name
        self.number = number
        self.socket = folder / f"{name}.sock"
        self.url = f"unix://{self.socket}"
        self.log = folder / f"{name}.log"
        self.cgroup_parent = f"/{folder.name}.{name}"
        self.address = ""
        self.node_id = ""
        self.connected = True
        self.frozen = False
        self._folder = folder
        self._cables = cables
        self._namespace = cables.namespace(name)
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"<Node {self.name} {'running' if self.running else 'down'}>"

    # Life

    @property
    def running(self) -> bool:
        """Whether its engine was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, timeout: float = 60) -> None:
        """Start the engine, on the data it had, and return once its socket answers.

        Does not wait for the Swarm: that is `Swarm.wait_ready`.
        """
        if self.running:
            raise LabError(f"{self.name} runs already")
        self._clear()
        if not self.address:
            self.address = self._cables.attach(self.name, self.number)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                engine.command(self._folder, self.name, self._namespace, self._root),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=self._marked_environment(),
            )
        self._wait_for_socket(timeout)

    def kill(self) -> None:
        """End engine, containerd and all containers at once, as a crash of the machine does."""
        if self._process is None:
            return
        for pid in processes.children(self._process.pid) if self.running else []:
            os.kill(pid, signal.SIGKILL)
        try:
            # With process 1 of a namespace gone the kernel ends the rest, then unshare returns.
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)
        self._clear()

    def stop(self, timeout: float = 60) -> None:
        """End the engine in good order (SIGTERM); containers get their grace periods."""
        if not self.running or self._process is None:
            return
        if self.frozen:
            self.thaw()
        self._signal_dockerd(signal.SIGTERM)
        try:
            self._process.wait(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise LabError(f"{self.name} did not stop within {timeout} s") from error
        self._clear()

    def restart(self, *, graceful: bool = True, timeout: float = 60) -> None:
        """Stop (or kill) and start again."""
        if graceful:
            self.stop(timeout)
        else:
            self.kill()
        self.start(timeout)

    def freeze(self) -> None:
        """Stop dockerd with SIGSTOP: its socket accepts connections and answers none."""
        self._signal_dockerd(signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        """Let a frozen dockerd go on."""
        self._signal_dockerd(signal.SIGCONT)
        self.frozen = False

    def cut_off(self) -> None:
        """Unplug the node's network cable; its socket still answers on this machine."""
        self._cables.plug(self.name, connected=False)
        self.connected = False

    def reconnect(self) -> None:
        """Plug it in again."""
        self._cables.plug(self.name, connected=True)
        self.connected = True

    # Asking it, and running things on it

    def docker(self, *args: str, timeout: float = 60, check: bool = True) -> str:
        """Run the docker client against this node and return what it printed.

        Raises LabError where it fails (unless `check` is False) or takes over `timeout` seconds.
        """
        client = docker_bin()
        if client is None:
            raise LabError("the docker client is missing")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("DOCKER_")}
        environment["DOCKER_CONFIG"] = f"{self._folder}/client"
        return run(
            [client, "--host", self.url, *args], timeout=timeout, check=check, env=environment
        )

    def api(self, method: str, url: str, body: Any = None, *, timeout: float = 30) -> Any:
        """One call to the Engine API, say `api("GET", "/info")`; raises ApiError, OSError."""
        return api.call(self.socket, method, url, body, timeout=timeout)

    def net_command(self, command: Sequence[str]) -> list[str]:
        """The command as it must be started to run in this node's network namespace."""
        return [*network.prefix(self._namespace), *command]

    def run_in_netns(
        self, command: Sequence[str], *, timeout: float = 30, check: bool = True
    ) -> str:
        """Run a command of this machine in the node's network and return what it printed."""
        return run(self.net_command(command), timeout=timeout, check=check)

    def popen(self, command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a process in the node's network; it ends with the lab at the latest."""
        environment = {**options.pop("env", os.environ), **self._mark()}
        return subprocess.Popen(self.net_command(command), env=environment, **options)

    def connect(self, port: int, host: str = "127.0.0.1", *, timeout: float = 5) -> socket.socket:
        """A TCP connection made inside the node's network; raises OSError."""
        return inside.connect(self.net_namespace, host, port, timeout)

    @property
    def net_namespace(self) -> Path:
        """The file that stands for the node's network namespace."""
        return network.NAMESPACES / self._namespace

    def run_inside(self, command: Sequence[str], *, timeout: float = 30) -> str:
        """Run a command in all namespaces of the node: its processes, mounts and host name."""
        entry = [tool("nsenter"), f"--target={self.init_pid}", "--mount", "--uts", "--pid", "--net"]
        return run([*entry, *command], timeout=timeout)

    @property
    def init_pid(self) -> int:
        """Process 1 of the node, as this machine numbers it."""
        found = processes.children(self._process.pid) if self._process and self.running else []
        if not found:
            raise LabError(f"{self.name} does not run")
        return found[0]

    @property
    def proc(self) -> Path:
        """The node's /proc seen from here, where container processes have the engine's numbers."""
        return Path(f"/proc/{self.init_pid}/root/proc")

    @property
    def dockerd_pid(self) -> int:
        """The engine's process, as this machine numbers it."""
        for pid in processes.children(self.init_pid):
            if processes.command_name(pid) == "dockerd":
                return pid
        raise LabError(f"{self.name} runs no dockerd")

    def log_tail(self, lines: int = 30) -> str:
        """The end of the engine's log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _signal_dockerd(self, number: signal.Signals) -> None:
        os.kill(self.dockerd_pid, number)

    def _wait_for_socket(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            if not self.running:
                raise LabError(f"{self.name}: the engine did not start:\n{self.log_tail()}")
            try:
                api.call(self.socket, "GET", "/_ping", timeout=5)
            except (OSError, api.ApiError) as error:
                if time.monotonic() > deadline:
                    raise LabError(
                        f"{self.name}: no answer in {timeout} s ({error}):\n{self.log_tail()}"
                    ) from error
                time.sleep(0.02)
            else:
                return

    def _clear(self) -> None:
        # What a crash leaves: the socket, and the cgroups of containers that nobody removed.
        self.socket.unlink(missing_ok=True)
        self.frozen = False
        cgroups.remove(self.cgroup_parent.removeprefix("/"))

    def _mark(self) -> dict[str, str]:
        return {processes.MARK: str(self._folder)}

    def _marked_environment(self) -> dict[str, str]:
        return {"PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin", **self._mark()}
