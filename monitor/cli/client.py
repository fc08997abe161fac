"""Asks a running agent over HTTP."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp

DEFAULT_AGENT = "http://127.0.0.1:9580"
DEADLINE = 10.0


class AskError(Exception):
    """The agent could not be asked, or said no; `str()` is one sentence for a person."""


def ask(agent: str, path: str, params: Mapping[str, str] | None = None) -> Any:
    """The JSON that the agent at URL `agent` answers on `path`; raises AskError."""
    return asyncio.run(_ask(agent.rstrip("/"), path, dict(params or {})))


async def _ask(agent: str, path: str, params: dict[str, str]) -> Any:
    if not agent.startswith(("http://", "https://")):
        raise AskError(f"--agent {agent!r}: write http://HOST:PORT, for example {DEFAULT_AGENT}")
    timeout = aiohttp.ClientTimeout(total=DEADLINE)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(agent + path, params=params) as response,
        ):
            if response.content_type != "application/json":
                raise AskError(f"{agent} is not a swarm-monitor agent (HTTP {response.status})")
            answer = await response.json()
            if response.status >= 400:
                raise AskError(str(answer.get("error", f"HTTP {response.status}")))
            return answer
    except TimeoutError:
        raise AskError(f"the agent at {agent} did not answer within {DEADLINE:.0f} s") from None
    except aiohttp.ClientError as error:
        raise AskError(
            f"no agent answers at {agent} ({error}): is it running there? "
            "Name another with --agent or SWARM_MONITOR_AGENT"
        ) from None
