"""`status`, `ps` and `why`: ask an agent, print tables for people or JSON for programs."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from monitor.cli.client import AskError, Call, ask, call
from monitor.cli.show_ps import show_ps
from monitor.cli.show_status import show_status
from monitor.cli.show_why import show_why
from monitor.cli.token import operator_token


def run_status(agent: str, *, as_json: bool) -> int:
    """Exit code: 0, or 1 where the agent could not be asked."""
    return _asked(lambda: ask(agent, "/api/v1/status"), show_status, as_json=as_json)


def run_ps(
    agent: str, service: str, *, logs: bool = False, token_file: Path | None = None, as_json: bool
) -> int:
    """Exit code: 0, or 1 where the agent could not be asked or knows no such service.

    logs: with the last log lines of ended tasks, which needs the token.
    """
    path, params = "/api/v1/ps", {"service": service}
    if not logs:
        return _asked(lambda: ask(agent, path, params), show_ps, as_json=as_json)

    def question() -> Any:
        token = operator_token(token_file)
        asked = Call(path=path, params=params | {"logs": "1"}, token=token, deadline=30.0)
        return call(agent, asked)

    return _asked(question, show_ps, as_json=as_json)


def run_why(agent: str, service: str, *, rule: str | None, limit: int, as_json: bool) -> int:
    """Exit code: 0, or 1 where the agent could not be asked or knows no such service."""
    params = {"service": service, "limit": str(limit)} | ({"rule": rule} if rule else {})

    def show(console: Console, answer: Any) -> None:
        show_why(console, service, answer)

    return _asked(lambda: ask(agent, "/api/v1/decisions", params), show, as_json=as_json)


def _asked(
    question: Callable[[], Any], show: Callable[[Console, Any], None], *, as_json: bool
) -> int:
    try:
        answer = question()
    except AskError as error:
        print(f"swarm-monitor: {error}", file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(answer, indent=2))
    else:
        show(Console(), answer)
    return 0
