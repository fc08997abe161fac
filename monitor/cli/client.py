"""Asks a running agent over HTTP."""

import asyncio
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

DEFAULT_AGENT = "http://127.0.0.1:9580"
DEADLINE = 10.0


class AskError(Exception):
    """The agent could not be asked, or said no; `str()` is one sentence for a person.

    problems: what is wrong with rule files that were sent along, `file:line:col: message`.
    """

    def __init__(self, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. body: sent as JSON. token: shown to the agent. deadline: in seconds."""

    path: str
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    token: str | None = field(default=None, repr=False)
    deadline: float = DEADLINE


def ask(agent: str, path: str, params: Mapping[str, str] | None = None) -> Any:
    """The JSON that the agent at URL `agent` answers on `path`; raises AskError."""
    return call(agent, Call(path=path, params=params or {}))


def call(agent: str, request: Call) -> Any:
    """The JSON that the agent at URL `agent` answers; raises AskError."""
    return asyncio.run(_call(agent.rstrip("/"), request))


async def _call(agent: str, request: Call) -> Any:
    if not agent.startswith(("http://", "https://")):
        raise AskError(f"--agent {agent!r}: write http://HOST:PORT, for example {DEFAULT_AGENT}")
    timeout = aiohttp.ClientTimeout(total=request.deadline)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(
                request.method,
                agent + request.path,
                params=dict(request.params),
                data=_encoded(request.body),
                headers=_headers(request),
                allow_redirects=False,
            ) as response,
        ):
            return await _answer(agent, response)
    except TimeoutError:
        seconds = f"{request.deadline:.0f} s"
        raise AskError(f"the agent at {agent} did not answer within {seconds}") from None
    except aiohttp.ClientError as error:
        raise AskError(
            f"no agent answers at {agent} ({_cause(error)}): is it running there? "
            "Name another with --agent or SWARM_MONITOR_AGENT"
        ) from None


def _cause(error: aiohttp.ClientError) -> str:
    """`connection refused` rather than the whole call; as it is where the system names no cause."""
    number = getattr(getattr(error, "os_error", None), "errno", None)
    return os.strerror(number).lower() if number and number > 0 else str(error)


def _encoded(body: Any) -> io.BytesIO | None:
    return None if body is None else io.BytesIO(json.dumps(body, ensure_ascii=False).encode())


def _headers(request: Call) -> dict[str, str]:
    headers = {} if request.body is None else {"Content-Type": "application/json"}
    if request.token is not None:
        headers["Authorization"] = f"Bearer {request.token}"
    return headers


async def _answer(agent: str, response: aiohttp.ClientResponse) -> Any:
    if response.content_type != "application/json":
        raise AskError(f"{agent} is not a swarm-monitor agent (HTTP {response.status})")
    try:
        answer = await response.json()
    except ValueError:
        raise AskError(f"{agent} is not a swarm-monitor agent: its answer is no JSON") from None
    if response.status >= 300:
        said = answer if isinstance(answer, dict) else {}
        problems = tuple(str(problem) for problem in said.get("problems", ()))
        raise AskError(str(said.get("error", f"HTTP {response.status}")), problems)
    return answer
