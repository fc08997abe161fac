"""`rollback`: a service back to what it was before its last deploy, replicas kept."""

import sys
from pathlib import Path

from monitor.cli.client import AskError, Call, call
from monitor.cli.pause import whoami
from monitor.cli.token import operator_token


def run_rollback(agent: str, service: str, *, token_file: Path | None) -> int:
    """Prints one sentence. Exit code: 0; 1 the agent said no."""
    try:
        body = {"service": service, "by": whoami()}
        token = operator_token(token_file)
        said = call(agent, Call(path="/api/v1/rollback", method="POST", body=body, token=token))
    except AskError as error:
        print(f"swarm-monitor rollback: {error}", file=sys.stderr)
        return 1
    print(f"{said['sentence']}.")
    return 0
