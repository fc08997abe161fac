"""Asking a real engine through the product's own client until it says what was awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from monitor.engine.client import DockerEngine
from monitor.model.service import Service


async def eventually(
    condition: Callable[[], Awaitable[bool]], what: str, timeout: float = 60
) -> None:
    try:
        async with asyncio.timeout(timeout):
            while not await condition():
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"waited {timeout} s for {what}")


async def by_name(engine: DockerEngine, name: str) -> Service:
    return next(service for service in await engine.services() if service.name == name)
