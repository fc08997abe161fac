"""TCP connections that begin or end inside another network namespace, without a process there.

A socket stays in the namespace in which it was made. A thread may move to another one by itself
(setns(2)), so one is started for that alone and ends with it.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from pathlib import Path

_CLONE_NEWNET = 0x40000000


def connect(namespace: Path, host: str, port: int, timeout: float) -> socket.socket:
    """A connection to `host` (an IPv4 address) from inside the namespace at that path.

    `timeout` is in seconds, for this and later operations on the socket. Raises OSError.
    """
    made = _make(namespace)
    made.settimeout(timeout)
    try:
        made.connect((host, port))
    except BaseException:
        made.close()
        raise
    return made


def listen(namespace: Path, port: int) -> socket.socket:
    """A socket that listens on all addresses of the namespace at that path; raises OSError.

    It belongs to this process: an engine that lives in the namespace may come and go.
    """
    made = _make(namespace)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("0.0.0.0", port))
        made.listen(16)
    except BaseException:
        made.close()
        raise
    return made


def _make(namespace: Path) -> socket.socket:
    done: list[socket.socket | OSError] = []

    def make() -> None:
        try:
            done.append(_make_here(namespace))
        except OSError as error:
            done.append(error)

    thread = threading.Thread(target=make, name="namespace")
    thread.start()
    thread.join()
    (result,) = done
    if isinstance(result, OSError):
        raise result
    return result


def _make_here(namespace: Path) -> socket.socket:
    handle = os.open(namespace, os.O_RDONLY)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(handle, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"setns {namespace}: {os.strerror(number)}")
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    finally:
        os.close(handle)
