"""Runs the application on a port for as long as a block lasts."""

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

_SHUTDOWN_SECONDS = 2.0

USUAL_PORT = 9580
"""Of page, API and metrics."""


class CannotListen(Exception):
    """The address cannot be listened on; `str()` says why and what to do."""


def parse_address(text: str) -> tuple[str, int]:
    """HOST:PORT, `:PORT` for every address, `[::]:PORT` for IPv6; raises ValueError.

    Port 0 lets the system choose.
    """
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or (":" in host and not bracketed):
        raise ValueError(f"{text!r} is not HOST:PORT; write 0.0.0.0:9580 or [::]:9580")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise ValueError(f"{port!r} is not a port; write a number up to 65535, as in 0.0.0.0:9580")
    return (host[1:-1] if bracketed else host), int(port)


def _explain(error: OSError, host: str, port: int) -> str:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is taken on {host or 'this host'} by another program: end that one, or "
            f"choose another address with --listen, as in --listen {where[: -len(str(port))]}9590."
        )
    if error.errno == errno.EACCES:
        return f"Listening on {where} is not permitted: choose a port of 1024 or above."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"This host has no address {host}: write 0.0.0.0:{port} or [::]:{port}."
    return f"Cannot listen on {where}: {error.strerror or error}."


@asynccontextmanager
async def serve(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Listens until the block ends; gives the port, which the system chose if it was 0.

    An empty host means every address. Raises CannotListen. On leaving, requests under way get
    2 s to finish.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=_SHUTDOWN_SECONDS,
        keepalive_timeout=75.0,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host or None, port)
        try:
            await site.start()
        except OSError as error:
            raise CannotListen(_explain(error, host, port)) from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
