"""`status`, `ps` and `why`: ask an agent, print tables for people or JSON for programs."""

import json
import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console

from monitor.cli.client import AskError, ask
from monitor.cli.show_ps import show_ps
from monitor.cli.show_status import show_status
from monitor.cli.show_why import show_why


def run_status(agent: str, *, as_json: bool) -> int:
    """Exit code: 0, or 1 where the agent could not be asked."""
    return _asked(lambda: ask(agent, "/api/v1/status"), show_status, as_json=as_json)


def run_ps(agent: str, service: str, *, as_json: bool) -> int:
    """Exit code: 0, or 1 where the agent could not be asked or knows no such service."""
    return _asked(lambda: ask(agent, "/api/v1/ps", {"service": service}), show_ps, as_json=as_json)


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
