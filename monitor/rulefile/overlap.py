"""Services that two scale rules claim by name, as far as the files alone can tell."""

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate
from itertools import combinations

from monitor.model.rule import AnyRule, NodeRule, RuleMode, ScaleRule

MOST_RULES = 300


def overlaps(rules: Iterable[AnyRule | NodeRule]) -> Iterator[tuple[ScaleRule, ScaleRule, str]]:
    """Pairs of scale rules that are not off, and a name that both select: neither would act."""
    scaling = [
        rule
        for rule in rules
        if isinstance(rule, ScaleRule) and rule.mode is not RuleMode.OFF and rule.selector.names
    ][:MOST_RULES]
    patterns = {rule.name: _compiled(rule.selector.names) for rule in scaling}
    excluded = {rule.name: _compiled(rule.selector.exclude) for rule in scaling}
    for first, second in combinations(scaling, 2):
        names = sorted({*first.selector.exact_names, *second.selector.exact_names})
        for name in names:
            if all(
                patterns[rule.name].match(name) and not excluded[rule.name].match(name)
                for rule in (first, second)
            ):
                yield first, second, name
                break


def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Matches what any of the globs matches; nothing where there are none."""
    return re.compile("|".join(translate(pattern) for pattern in patterns) or r"(?!)")
