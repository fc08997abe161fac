"""Running a file of cases."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hpa_conformance.suites import SUITES


@dataclass(frozen=True, slots=True)
class Result:
    """expected and got hold only what differs; both are empty where the case passed."""

    name: str
    suite: str
    expected: Mapping[str, object]
    got: Mapping[str, object]

    @property
    def passed(self) -> bool:
        return not self.expected and not self.got


def cases(path: Path) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Suite, case and the file's `meta` of every case."""
    document = json.loads(path.read_text(encoding="utf-8"))
    meta = document.get("meta", {})
    for suite, members in document["suites"].items():
        for case in members:
            yield suite, case, meta


def run_case(suite: str, case: Mapping[str, Any], meta: Mapping[str, Any]) -> Result:
    """A case that breaks is a case that failed, not the end of the run."""
    name = f"{suite}: {case.get('name', '?')}"
    runner = SUITES.get(suite)
    if runner is None:
        return Result(name, suite, {"suite": "one of " + ", ".join(SUITES)}, {"suite": suite})
    try:
        expected, got = runner(case, meta)
    except Exception as error:
        return Result(name, suite, {"outcome": "an answer"}, {"outcome": repr(error)})
    off = [key for key in expected if expected[key] != got.get(key)]
    return Result(name, suite, {k: expected[k] for k in off}, {k: got.get(k) for k in off})


def run_file(path: Path) -> list[Result]:
    return [run_case(suite, case, meta) for suite, case, meta in cases(path)]
