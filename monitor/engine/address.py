"""Where the Engine is, and why it could not be reached there."""

import errno
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from monitor.ports.errors import EngineError, Forbidden, Unreachable

MAX_SOCKET_PATH = 107  # sun_path of unix(7) less its closing NUL


@dataclass(frozen=True, slots=True)
class Address:
    """`socket_path` is None for TCP; `base` is what requests put before their path."""

    base: str
    socket_path: str | None = None

    def connector(self) -> aiohttp.BaseConnector:
        """A pool without limit: aiohttp's 100 places would be shared by streams and calls."""
        if self.socket_path is not None:
            return aiohttp.UnixConnector(self.socket_path, limit=0)
        return aiohttp.TCPConnector(limit=0, socket_factory=_kept_alive)

    def fault(self, error: OSError | aiohttp.ClientError) -> EngineError:
        """The fault behind a connection error, as one sentence on what to do."""
        cause = _os_error(error)
        if self.socket_path is not None and cause is not None:
            return _socket_fault(self.socket_path, cause)
        if cause is not None and cause.errno == errno.ECONNREFUSED:
            return Unreachable(
                f"nothing listens at {self.base}: is the engine running, and does it listen on TCP?"
            )
        return Unreachable(f"no connection to the engine at {self}: {_words(error)}")

    def __str__(self) -> str:
        return self.base if self.socket_path is None else self.socket_path


def parse_address(url: str) -> Address:
    """`unix:///path`, `tcp://host:port`, `http://...` or `https://...`; raises ValueError else."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme == "unix":
        path = "/" + rest.lstrip("/")
        if path == "/":
            raise ValueError(f"{url!r} names no socket: write unix:///var/run/docker.sock")
        if len(os.fsencode(path)) > MAX_SOCKET_PATH:
            raise ValueError(
                f"the socket path {path} is longer than {MAX_SOCKET_PATH} bytes, the most a Unix "
                "socket's path may have: mount it at a shorter one"
            )
        return Address("http://localhost", path)
    if separator and scheme in ("tcp", "http", "https"):
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError as error:
            raise ValueError(f"{url!r}: {error}: write tcp://host:2375") from error
        if not parts.hostname:
            raise ValueError(f"{url!r} names no host: write tcp://host:2375")
        if scheme == "tcp" and port is None:
            raise ValueError(f"{url!r} names no port: write tcp://{parts.hostname}:2375")
        web = "http" if scheme == "tcp" else scheme
        return Address(f"{web}://{parts.netloc}{parts.path.rstrip('/')}")
    raise ValueError(
        f"{url!r} is not an engine's address: write unix:///var/run/docker.sock or tcp://host:2375"
    )


def _socket_fault(path: str, error: OSError) -> EngineError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return Unreachable(
            f"no Docker socket at {path}: is the engine running, and is the socket mounted into "
            "this container?"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return Forbidden(
            f"permission denied on {path}: run as root or as a member of the socket's "
            f"group{_group_of(path)}"
        )
    if error.errno in (errno.ECONNREFUSED, errno.ENOTSOCK):
        # Linux answers "refused" also for what is no socket at all.
        if Path(path).is_dir():
            return Unreachable(
                f"{path} is a directory: the socket was not there when it was mounted into this "
                "container; start the engine, then the container anew"
            )
        if not Path(path).is_socket():
            return Unreachable(f"{path} is not a socket: give the path of the Docker socket")
        return Unreachable(f"nothing listens on {path}: the engine is stopped or still starting")
    return Unreachable(f"no connection to the engine at {path}: {_words(error)}")


def _group_of(path: str) -> str:
    try:
        status = os.stat(path)  # noqa: PTH116 - the mode is wanted as well
    except OSError:
        return ""
    return f" (gid {status.st_gid})" if stat.S_ISSOCK(status.st_mode) else ""


def _os_error(error: BaseException) -> OSError | None:
    # aiohttp wraps the operating system's error, in `os_error` and as cause.
    inner = getattr(error, "os_error", None)
    if isinstance(inner, OSError) and inner.errno is not None:
        return inner
    if isinstance(error, OSError) and error.errno is not None:
        return error
    return None


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _kept_alive(info: tuple[object, ...]) -> socket.socket:
    """A TCP socket whose peer is probed: else a half-open event stream would hang for ever."""
    family, kind, proto, *_ = info
    made = socket.socket(family, kind, proto)  # type: ignore[arg-type]
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):  # not on every system
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    return made
