"""Runs an agent as a process: signals, start, stop, exit code."""

import asyncio
import ctypes
import gc
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from monitor import __version__
from monitor.agent.agent import Agent
from monitor.agent.clock import SystemClock
from monitor.agent.settings import Settings
from monitor.engine.client import DockerEngine
from monitor.web.server import CannotListen

SETTLES = 20.0
"""Seconds after the first list: by then everything was judged once, and scraped."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h

REVISION_VARIABLE = "SWARM_MONITOR_REVISION"


def collect_rarely() -> None:
    """Let Python look for cycles of garbage less often than by default; for the whole process.

    Samples of 10,000 tasks live for a second or two. By default that passes for what lives long,
    so all objects are gone through again and again, up to 0.3 s each time in which the event
    loop stands still. Cycles are rare here, and found after some 250,000 objects at the latest.
    """
    gc.set_threshold(5_000, 10, 5)


def give_memory_back() -> None:
    """Let the C library return what large, short-lived blocks took; for the whole process.

    glibc keeps blocks that grow ever larger before it gives them back, and a heap for each thread
    (mallopt(3)). Where there is no mallopt, nothing is done.
    """
    with suppress(AttributeError, OSError):
        adjust = ctypes.CDLL(None).mallopt
        adjust(_M_ARENA_MAX, 1)
        adjust(_M_MMAP_THRESHOLD, 128 << 10)
        adjust(_M_TRIM_THRESHOLD, 128 << 10)


async def leave_alone_what_stays(ready: Callable[[], Awaitable[None]]) -> None:
    """Once the Swarm is known: what is there then is not looked through for garbage any more.

    A full collection goes through every object: with 10,000 tasks that is a tenth of a second in
    which the event loop stands still. Nearly all of it lives as long as the agent does. Freezing
    costs nothing, and what becomes garbage is still freed unless it is part of a cycle.
    """
    await ready()
    await asyncio.sleep(SETTLES)
    gc.freeze()


def run_agent(settings: Settings) -> int:
    """Runs until SIGTERM or SIGINT. Exit code: 0 stopped in order, 1 with the reason logged."""
    collect_rarely()
    give_memory_back()
    return asyncio.run(_run(settings))


async def _run(settings: Settings) -> int:
    log = structlog.get_logger("monitor.agent")
    stop = asyncio.Event()
    _stop_on_signals(stop)

    def started(port: int) -> None:
        log.info(
            "swarm-monitor started",
            version=__version__,
            listen=f"{settings.host}:{port}",
            docker=settings.docker,
            rules=[str(path) for path in settings.rules],
            dry_run=settings.dry_run,
        )

    try:
        async with DockerEngine(settings.docker) as engine:
            revision = os.environ.get(REVISION_VARIABLE, "")
            calls = engine.call_stats
            agent = Agent(
                settings,
                engine,
                SystemClock(),
                calls=calls,
                revision=revision,
                boot_id=os.urandom(8).hex(),
            )
            async with asyncio.TaskGroup() as group:
                ready = agent.core.mirror.wait_ready
                settling = group.create_task(leave_alone_what_stays(ready), name="settling")
                await agent.run(stop, started)
                settling.cancel()
    except Exception as error:
        refused = _cannot_listen(error)
        if refused is not None:
            log.error(str(refused))  # noqa: TRY400  # one sentence says it all
            return 1
        log.exception("the agent ends: something happened that it does not know how to handle")
        return 1
    log.info("swarm-monitor stopped")
    return 0


def _cannot_listen(error: BaseException) -> CannotListen | None:
    """The fault of a port, also out of the group of tasks in which the fleet's is opened."""
    if isinstance(error, BaseExceptionGroup):
        found = (_cannot_listen(part) for part in error.exceptions)
        return next((part for part in found if part is not None), None)
    return error if isinstance(error, CannotListen) else None


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
