"""Runs files of rule tests, each test on virtual time of its own."""

from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from monitor.rulefile.problem import Problem
from monitor.ruletest.expect import Failure
from monitor.ruletest.load import files_in, load_tests
from monitor.ruletest.world import run_test
from monitor.simulate.loop import run_virtual


@dataclass(frozen=True, slots=True)
class Result:
    """One test, or with `test` "" a file that could not be used and its problems."""

    file: str
    test: str = ""
    expectations: int = 0
    failures: tuple[Failure, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures and not self.problems


def run_files(paths: Iterable[Path]) -> Iterator[Result]:
    """A result per test, as each ends. Logs of the agent under test are left out."""
    for path in files_in(paths):
        loaded = load_tests(path)
        if loaded.problems:
            yield Result(loaded.file, problems=loaded.problems)
            continue
        for test, lines in zip(loaded.tests, loaded.lines, strict=True):
            with _silence():
                failures = run_virtual(run_test(test, loaded.rules, loaded.file, lines))
            yield Result(loaded.file, test.name, len(test.expect), tuple(failures))


@contextmanager
def _silence() -> Iterator[None]:
    """What the agent under test would log is no news to whoever runs the test."""
    before = structlog.get_config()
    structlog.configure(processors=[_drop])
    try:
        yield
    finally:
        structlog.configure(**before)


def _drop(*_: object) -> MutableMapping[str, object]:
    raise structlog.DropEvent
