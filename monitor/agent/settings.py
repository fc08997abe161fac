"""What an operator can set, checked once at start."""

from dataclasses import dataclass
from pathlib import Path


class SettingsError(ValueError):
    """A setting is wrong; `str()` says which, and what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """docker: URL of the local engine. rules: files or folders, watched while running.

    cgroup_root, proc_root: where the host's /sys/fs/cgroup and /proc are seen; in a container
    they are mounts. service_labels, node_labels: Docker labels exported as metric labels.
    task_labels: `task` labels a task's series by its id, `slot` by its slot alone.
    """

    docker: str
    rules: tuple[Path, ...]
    host: str
    port: int
    dry_run: bool = False
    cgroup_root: Path = Path("/sys/fs/cgroup")
    proc_root: Path = Path("/proc")
    own_service_id: str | None = None
    service_labels: tuple[str, ...] = ()
    node_labels: tuple[str, ...] = ()
    task_labels: str = "task"


def parse_listen(text: str) -> tuple[str, int]:
    """`HOST:PORT`, `[IPV6]:PORT` or `:PORT` (all addresses). Port 0 takes a free one."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise SettingsError(f"--listen {text!r}: write HOST:PORT, for example 0.0.0.0:9580")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise SettingsError(f"--listen {text!r}: put an IPv6 address in brackets, [::]:9580")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104  # all addresses, as asked


def parse_docker(url: str) -> str:
    """Checks the scheme of the engine's URL; a bare path is taken as a Unix socket's."""
    if url.startswith("/"):
        return f"unix://{url}"
    if url.startswith(("unix://", "tcp://", "http://", "https://")):
        return url
    raise SettingsError(f"--docker {url!r}: write unix:///var/run/docker.sock or tcp://HOST:PORT")
