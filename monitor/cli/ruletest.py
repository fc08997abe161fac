"""`test`: runs rule tests and shows what differs."""

from collections.abc import Sequence
from pathlib import Path

from monitor.ruletest.expect import Failure
from monitor.ruletest.load import files_in
from monitor.ruletest.run import Result, run_files


def run_rule_tests(paths: Sequence[Path]) -> int:
    """Prints a line per test. Exit code: 0; 1 where one failed or a file is wrong; 2 for none."""
    if not files_in(paths):
        print("no rule tests found: name files, or folders with files named *.test.yml")
        return 2
    results: list[Result] = []
    for result in run_files(paths):
        _show(result)
        results.append(result)
    failed = sum(not result.passed for result in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _show(result: Result) -> None:
    if result.problems:
        for problem in result.problems:
            print(problem)
    elif result.passed:
        print(f"ok    {result.file}: {result.test}")
    else:
        print(f"FAIL  {result.file}: {result.test}")
        for failure in result.failures:
            _show_failure(failure)


def _show_failure(failure: Failure) -> None:
    expected = failure.expected
    print(f"  {failure.place}: {expected.subject} at {expected.at:g}s")
    for difference in failure.differences:
        print(f"    {difference}")
    print(f"    newest decision: {failure.context}")
