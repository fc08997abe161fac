"""Files of rule tests, and the rules they are about, or everything that is wrong with either."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from monitor.model.rule import RuleSet
from monitor.rulefile.load import load as load_rules
from monitor.rulefile.node import find, plain
from monitor.rulefile.problem import Problem
from monitor.rulefile.sentences import problems_of
from monitor.rulefile.text import MAX_BYTES, YamlFault
from monitor.rulefile.yaml_source import compose
from monitor.ruletest.models import RuleTest, RuleTestFile

SUFFIXES = (".test.yml", ".test.yaml")


@dataclass(frozen=True, slots=True)
class Loaded:
    """One file: its tests with the lines of their expectations, or its problems."""

    file: str
    rules: RuleSet = field(default_factory=RuleSet)
    tests: tuple[RuleTest, ...] = ()
    lines: tuple[tuple[int, ...], ...] = ()
    problems: tuple[Problem, ...] = ()


def files_in(paths: Iterable[Path]) -> list[Path]:
    """Files as they are given, and of folders those named `*.test.yml`, in order of names."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in path.iterdir() if file.name.endswith(SUFFIXES))
        else:
            found.append(path)
    return found


def load_tests(path: Path) -> Loaded:
    """Never raises for what is in the file. Rule files are found beside it."""
    file = str(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            return _broken(file, Problem(file, 1, 1, "larger than 1 MiB: split it into several"))
        tree = compose(path.read_bytes())
    except OSError as error:
        return _broken(file, Problem(file, 1, 1, f"cannot be read: {error.strerror}"))
    except YamlFault as fault:
        return _broken(file, Problem(file, fault.line, fault.column, str(fault)))
    problems = [Problem(file, fault.line, fault.column, str(fault)) for fault in tree.faults]
    try:
        model = RuleTestFile.model_validate(plain(tree.root))
    except ValidationError as error:
        return _broken(file, *problems, *problems_of(error, RuleTestFile, tree.root, file))
    rules = load_rules(path.parent / name for name in model.rules)
    if rules.rules is None or problems:
        return _broken(file, *problems, *rules.problems)
    lines = tuple(
        tuple(
            find(tree.root, ("tests", number, "expect", index)).line
            for index in range(len(test.expect))
        )
        for number, test in enumerate(model.tests)
    )
    return Loaded(file, rules.rules, model.tests, lines)


def _broken(file: str, *problems: Problem) -> Loaded:
    return Loaded(file, problems=tuple(problems))
