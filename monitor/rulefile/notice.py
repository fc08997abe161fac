"""Notices that rule files may have changed; a hint, the content decides."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from pathlib import Path

import structlog
from watchfiles import awatch

_QUIET_MS = 100
_RECHECK_MS = 2_000
_RETRY = 1.0

Identity = Mapping[Path, tuple[int, int]]


async def notice(paths: Iterable[Path], hint: Callable[[], None]) -> None:
    """Calls `hint` after changes in or beside `paths`, until cancelled.

    A folder or file that goes away, comes back or is replaced is watched anew. Where the
    system gives no notifications at all, that is logged once and nothing is called.
    """
    watched, failed = tuple(paths), False
    while True:
        identity = await asyncio.to_thread(_identity, watched)
        try:
            if identity:
                await _follow(watched, identity, hint)
        except (OSError, RuntimeError) as error:
            if not failed:
                structlog.get_logger("monitor.rulefile").warning(
                    "rules_watch_failed", error=str(error), instead="the files are polled"
                )
            failed = True
        await asyncio.sleep(_RETRY)
        hint()


async def _follow(paths: tuple[Path, ...], identity: Identity, hint: Callable[[], None]) -> None:
    """Returns when what is at the paths is not what is watched any more."""
    changes: AsyncGenerator[object, None] = awatch(
        *identity,
        watch_filter=None,
        debounce=1_000,
        step=_QUIET_MS,
        rust_timeout=_RECHECK_MS,
        yield_on_timeout=True,
        force_polling=False,
        recursive=False,
    )
    first = True  # what changed before the watch stood was not notified
    async with aclosing(changes):
        async for change in changes:
            if change or first:
                hint()
            first = False
            if await asyncio.to_thread(_identity, paths) != identity:
                return


def _identity(paths: tuple[Path, ...]) -> Identity:
    """Device and inode of all that is watched and there.

    Beside a file its folder is watched, as editors replace files by renaming; beside a folder
    that is not there, the one it will appear in.
    """
    found: dict[Path, tuple[int, int]] = {}
    for path in paths:
        is_folder = path.is_dir()
        for candidate in (path,) if is_folder else (path, path.absolute().parent):
            try:
                facts = candidate.stat()
            except OSError:
                continue
            found[candidate] = (facts.st_dev, facts.st_ino)
    return found
