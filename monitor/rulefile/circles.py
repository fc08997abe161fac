"""Restart rules that follow each other in a circle, as far as their names alone can tell."""

from collections.abc import Iterable, Iterator

from monitor.model.condition import Restarted
from monitor.model.rule import AnyRule, NodeRule, RestartRule, RuleMode
from monitor.model.sources import leaves


def circles(rules: Iterable[AnyRule | NodeRule]) -> Iterator[tuple[RestartRule, tuple[str, ...]]]:
    """The first rule of each circle, and the services it goes through, the first one twice."""
    following: dict[str, list[tuple[str, RestartRule]]] = {}
    for rule in rules:
        if not isinstance(rule, RestartRule) or rule.mode is RuleMode.OFF:
            continue
        if not rule.action.restarts:
            continue
        for leaf in leaves(rule.when):
            if isinstance(leaf, Restarted):
                for name in rule.selector.exact_names:
                    following.setdefault(leaf.service, []).append((name, rule))
    told: set[str] = set()
    for start, after in following.items():
        way = None if start in told else _back_to(start, following)
        if way is not None:
            told |= set(way)
            rule = next(rule for name, rule in after if name == way[1])
            yield rule, way


def _back_to(
    start: str, following: dict[str, list[tuple[str, RestartRule]]]
) -> tuple[str, ...] | None:
    """The shortest way from a service to itself; None where there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    while ways:
        longer: list[tuple[str, ...]] = []
        for way in ways:
            for name, _ in following.get(way[-1], ()):
                if name == start:
                    return (*way, name)
                if name not in seen:
                    seen.add(name)
                    longer.append((*way, name))
        ways = longer
    return None
