"""`explain`: what rule files would decide on a service now, without acting."""

import json
import sys
from pathlib import Path

from rich.console import Console

from monitor.cli.client import AskError, Call, call
from monitor.cli.show_why import show_explanation
from monitor.cli.token import operator_token
from monitor.rulefile.load import parse
from monitor.rulefile.read import Snapshot, read
from monitor.web.body import LARGE

_DEADLINE = 25.0
"""Seconds: the agent waits up to 10 s for numbers that it never read before."""


def run_explain(
    agent: str,
    paths: list[Path],
    service: str,
    *,
    rule: str | None,
    token_file: Path | None,
    as_json: bool,
) -> int:
    """Exit code: 0; 1 where the files have problems (printed as `check` does) or the agent
    could not be asked or said no."""
    snapshot = read(paths)
    result = parse(snapshot)
    if result.rules is None:
        print(*result.problems, sep="\n")
        return 1
    try:
        body = {"files": _texts(snapshot), "service": service, "rule": rule}
        request = Call(
            path="/api/v1/explain",
            method="POST",
            body=body,
            token=operator_token(token_file),
            deadline=_DEADLINE,
        )
        answer = call(agent, request)
    except AskError as error:
        print(*error.problems, sep="\n", end="\n" if error.problems else "")
        print(f"swarm-monitor explain: {error}", file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(answer, indent=2))
    else:
        show_explanation(Console(), answer)
    return 0


def _texts(snapshot: Snapshot) -> dict[str, str]:
    """The files' texts by name; they were parsed, so they are UTF-8. Raises AskError."""
    texts = {source.file: source.data.decode() for source in snapshot.sources}
    if not texts:
        raise AskError("there are no rule files at this path: name a file, or a folder of them")
    if sum(len(source.data) for source in snapshot.sources) > LARGE * 9 // 10:
        raise AskError("these are more rules than an agent takes at once: name a single file")
    return texts
