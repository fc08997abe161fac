"""Rule files to rules, or to everything that is wrong with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from monitor.model.rule import AnyRule, NodeRule, RuleSet, ScaleRule
from monitor.rulefile.circles import circles
from monitor.rulefile.convert import rule_of
from monitor.rulefile.digest import rule_set
from monitor.rulefile.doubts import doubts
from monitor.rulefile.models import RuleFile
from monitor.rulefile.node import Node, find, plain
from monitor.rulefile.overlap import overlaps
from monitor.rulefile.problem import Problem, capped
from monitor.rulefile.read import Snapshot, Source, read
from monitor.rulefile.sentences import problems_of
from monitor.rulefile.text import YamlFault
from monitor.rulefile.yaml_source import compose


@dataclass(frozen=True, slots=True)
class LoadResult:
    """`rules` is None if there is any problem; `files` is how many were read."""

    rules: RuleSet | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    files: int = 0


@dataclass(slots=True)
class _Parsed:
    rules: list[AnyRule | NodeRule]
    problems: list[Problem]
    names: list[tuple[str, Problem]]


def load(paths: Iterable[Path]) -> LoadResult:
    """Reads folders and files. Never raises for what is in them."""
    return parse(read(paths))


def parse(snapshot: Snapshot) -> LoadResult:
    """The rules of all files together; one problem anywhere and there are none."""
    rules: list[AnyRule | NodeRule] = []
    problems: list[Problem] = []
    names: list[tuple[str, Problem]] = []
    for source in snapshot.sources:
        parsed = _parse(source)
        rules += parsed.rules
        problems += capped(parsed.problems)
        names += parsed.names
    problems += _twice(names)
    warnings = list(snapshot.warnings)
    if problems:
        order = {source.file: index for index, source in enumerate(snapshot.sources)}
        problems.sort(key=lambda problem: (order[problem.file], problem.line, problem.column))
        return LoadResult(None, tuple(problems), tuple(warnings), len(snapshot.sources))
    warnings += [
        f'{second.source}: rules "{first.name}" and "{second.name}" both scale "{name}": '
        f"neither will act on it ({first.source})"
        for first, second, name in overlaps(rules)
    ]
    warnings += [
        f"{rule.source}: these are restarted after each other without end: {' -> '.join(way)}"
        for rule, way in circles(rules)
    ]
    warnings += [text for rule in rules if isinstance(rule, ScaleRule) for text in doubts(rule)]
    return LoadResult(rule_set(rules), (), tuple(warnings), len(snapshot.sources))


def _parse(source: Source) -> _Parsed:
    parsed = _Parsed([], [], [])
    if source.fault:
        parsed.problems.append(Problem(source.file, 1, 1, source.fault))
        return parsed
    try:
        tree = compose(source.data)
    except YamlFault as fault:
        parsed.problems.append(Problem(source.file, fault.line, fault.column, str(fault)))
        return parsed
    parsed.problems += [
        Problem(source.file, fault.line, fault.column, str(fault)) for fault in tree.faults
    ]
    parsed.names += _names(tree.root, source.file)
    try:
        model = RuleFile.model_validate(plain(tree.root))
    except ValidationError as error:
        parsed.problems += problems_of(error, RuleFile, tree.root, source.file)
        return parsed
    for index, rule in enumerate(model.rules):
        line = find(tree.root, ("rules", index)).line
        parsed.rules.append(rule_of(rule, f"{source.file}:{line}"))
    return parsed


def _names(root: Node, file: str) -> list[tuple[str, Problem]]:
    """Every rule's name and place, also of rules that are otherwise wrong."""
    rules = find(root, ("rules",)).content
    found: list[tuple[str, Problem]] = []
    for index in range(len(rules) if isinstance(rules, list) else 0):
        node = find(root, ("rules", index, "name"))
        if isinstance(node.content, str):
            found.append((node.content, Problem(file, node.line, node.column, "")))
    return found


def _twice(names: list[tuple[str, Problem]]) -> list[Problem]:
    """A problem at each place where a name stands that also stands elsewhere."""
    places: dict[str, list[Problem]] = {}
    for name, place in names:
        places.setdefault(name, []).append(place)
    return [
        Problem(
            place.file,
            place.line,
            place.column,
            f'name: "{name[:63]}" is also the name of the rule at {_other(place, all_places)}: '
            "give each rule a name of its own",
        )
        for name, all_places in places.items()
        if len(all_places) > 1
        for place in all_places
    ]


def _other(place: Problem, places: list[Problem]) -> str:
    other = next(other for other in places if other is not place)
    return f"{other.file}:{other.line}:{other.column}"
