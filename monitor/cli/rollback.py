"""`rollback` and `unpark`: a service back to what it was before."""

import sys
from pathlib import Path

from monitor.cli.client import AskError, Call, call
from monitor.cli.pause import whoami
from monitor.cli.token import operator_token


def run_rollback(agent: str, service: str, *, token_file: Path | None) -> int:
    """Prints one sentence. Exit code: 0; 1 the agent said no."""
    return _ask(agent, "rollback", service, token_file)


def run_unpark(agent: str, service: str, *, token_file: Path | None) -> int:
    """As `run_rollback`."""
    return _ask(agent, "unpark", service, token_file)


def _ask(agent: str, command: str, service: str, token_file: Path | None) -> int:
    try:
        body = {"service": service, "by": whoami()}
        token = operator_token(token_file)
        said = call(agent, Call(path=f"/api/v1/{command}", method="POST", body=body, token=token))
    except AskError as error:
        print(f"swarm-monitor {command}: {error}", file=sys.stderr)
        return 1
    print(f"{said['sentence']}.")
    return 0
