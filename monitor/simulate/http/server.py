"""Serves simulated engines on Unix sockets for as long as a block lasts."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from aiohttp import web

from monitor.engine.address import MAX_SOCKET_PATH
from monitor.simulate.http.app import build_app
from monitor.simulate.http.extras import Extras
from monitor.simulate.http.face import Face
from monitor.simulate.http.spelled import Spelled
from monitor.simulate.swarm import Swarm

_SHUTDOWN_SECONDS = 0.5


class CannotServe(Exception):
    """The socket cannot be made; `str()` says why and what to do."""


@asynccontextmanager
async def serve_engines(
    swarm: Swarm, sockets: dict[str, Path], *, whole: bool = False
) -> AsyncIterator[None]:
    """The engine of each node (by id) on its socket; raises CannotServe.

    A socket that nobody listens on any more is replaced; the files are gone afterwards. whole:
    each engine shows the containers of all nodes, as if the Swarm were one machine.
    """
    spelled, extras = Spelled(swarm.store), Extras()
    async with AsyncExitStack() as stack:
        for node_id, path in sockets.items():
            face = Face(swarm, node_id, spelled, extras, whole=whole)
            await stack.enter_async_context(_serve(build_app(face), path))
        yield


@asynccontextmanager
async def _serve(app: web.Application, path: Path) -> AsyncIterator[None]:
    _clear(path)
    runner = web.AppRunner(
        app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_SECONDS
    )
    await runner.setup()
    try:
        try:
            await web.UnixSite(runner, str(path)).start()
        except OSError as error:
            raise CannotServe(f"no socket can be made at {path}: {_words(error)}") from error
        yield
    finally:
        await runner.cleanup()
        _remove(path)


def _clear(path: Path) -> None:
    """Makes room for the socket; raises CannotServe where something else is in its place."""
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        raise CannotServe(
            f"{path} is longer than {MAX_SOCKET_PATH} bytes, the most a Unix socket's path may "
            "have: choose a shorter one, such as /tmp/swarm.sock"
        )
    if not path.parent.is_dir():
        raise CannotServe(f"there is no folder {path.parent}: make it first")
    if not path.exists():
        return
    if not path.is_socket():
        raise CannotServe(f"{path} exists and is not a socket: choose another path")
    if _answers(path):
        raise CannotServe(f"something listens on {path} already: end it, or choose another path")
    try:
        path.unlink()
    except OSError as error:
        raise CannotServe(f"{path} cannot be replaced: {_words(error)}") from error


def _answers(path: Path) -> bool:
    """Whether anybody listens there. A full queue of connections is an answer too."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True
    return True


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _words(error: OSError) -> str:
    return error.strerror or str(error)
