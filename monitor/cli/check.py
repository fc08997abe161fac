"""`check` and `schema`: what is wrong with rule files, and what may stand in them."""

import json
from collections.abc import Sequence
from pathlib import Path

from monitor.rulefile.load import load
from monitor.rulefile.schema import json_schema


def run_check(paths: Sequence[Path]) -> int:
    """Prints one line per problem, `file:line:col: message`; 1 if there was any, else 0."""
    result = load(paths)
    for problem in result.problems:
        print(problem)
    for warning in result.warnings:
        print(f"warning: {warning}")
    files = _count(result.files, "file")
    if result.rules is None:
        print(f"{_count(len(result.problems), 'problem')} in {files}")
        return 1
    count = len(result.rules.rules) + len(result.rules.node_rules)
    print(f"{_count(count, 'rule')} in {files}, no problems")
    return 0


def run_schema() -> int:
    """Prints the JSON Schema of rule files."""
    print(json.dumps(json_schema(), indent=2))
    return 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
