"""Reads a scenario, or says all that is wrong with it and where."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from monitor.rulefile.node import find, plain
from monitor.rulefile.problem import Problem
from monitor.rulefile.sentences import problems_of
from monitor.rulefile.text import MAX_BYTES, YamlFault
from monitor.rulefile.yaml_source import compose
from monitor.simulate.scenario.curves import read_trace
from monitor.simulate.scenario.models import Scenario, beside

# Some thirty for each of 3,000 services. Rule files are held shorter: others may write them.
_MOST_VALUES = 100_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """A scenario, or its problems. path: None for the shipped one."""

    path: Path | None = None
    scenario: Scenario | None = None
    problems: tuple[Problem, ...] = ()


def load_scenario(path: Path | None = None) -> Loaded:
    """The scenario in a file, by default the shipped one. Never raises for what is in it."""
    file = "the shipped scenario" if path is None else str(path)
    try:
        if path is not None and path.stat().st_size > MAX_BYTES:
            return Loaded(path, problems=(Problem(file, 1, 1, "larger than 1 MiB"),))
        data = _shipped() if path is None else path.read_bytes()
        tree = compose(data, most=_MOST_VALUES)
    except OSError as error:
        return Loaded(path, problems=(Problem(file, 1, 1, f"cannot be read: {error.strerror}"),))
    except YamlFault as fault:
        return Loaded(path, problems=(Problem(file, fault.line, fault.column, str(fault)),))
    problems = [Problem(file, fault.line, fault.column, str(fault)) for fault in tree.faults]
    try:
        scenario = Scenario.model_validate(plain(tree.root))
    except ValidationError as error:
        problems += problems_of(error, Scenario, tree.root, file)
        return Loaded(path, problems=tuple(problems))
    for index, service in enumerate(scenario.services):
        if service.curve.trace is None:
            continue
        try:
            read_trace(beside(path, service.curve.trace.file))
        except ValueError as error:
            way = ("cpu",) if service.requests is None else ("requests", "rate")
            place = find(tree.root, ("services", index, *way, "trace", "file"))
            problems.append(Problem(file, place.line, place.column, str(error)))
    return Loaded(path, None if problems else scenario, tuple(problems))


def _shipped() -> bytes:
    return (files("monitor.simulate.scenario") / "shop.yml").read_bytes()
