"""The operator's token, as commands that change something find it."""

import os
from pathlib import Path

from monitor.cli.client import AskError
from monitor.sources.fault import SourceFault
from monitor.web.door import TokenSource

TOKEN_VARIABLE = "SWARM_MONITOR_TOKEN"  # noqa: S105  # the name of a variable


def operator_token(file: Path | None) -> str | None:
    """From the file, else from the environment, else None: some agents ask for none.

    Raises AskError where the file cannot be read.
    """
    try:
        return TokenSource(file, os.environ.get(TOKEN_VARIABLE, "")).read()
    except SourceFault as fault:
        raise AskError(f"--token-file: {fault}") from None
