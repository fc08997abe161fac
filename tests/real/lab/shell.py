"""Run a command to its end, with a deadline and an error that says what it printed."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from tests.real.lab.errors import LabError


def run(
    command: Sequence[str],
    *,
    timeout: float = 30,
    check: bool = True,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run `command` and return what it printed, without the last line break.

    `timeout` is in seconds. Raises LabError where the command fails (unless `check` is False) or
    does not end in time.
    """
    try:
        done = subprocess.run(
            list(command),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=env,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(command)} did not end within {timeout} s") from error
    if check and done.returncode != 0:
        words = (done.stderr or done.stdout).strip()
        raise LabError(f"{' '.join(command)} ended with {done.returncode}: {words}")
    return done.stdout.rstrip("\n")
