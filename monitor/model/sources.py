"""Which numbers a rule asks for."""

from collections.abc import Iterator

from monitor.model.condition import NumberBeyond
from monitor.model.rule import (
    AllOf,
    AnyOf,
    AnyRule,
    Leaf,
    RebalanceRule,
    RestartRule,
    ScaleRule,
    When,
)
from monitor.model.scalar import NumberSource, ScalarMetric


def leaves(when: When) -> Iterator[Leaf]:
    """The conditions in the order in which they are written, each as often as it is."""
    match when:
        case AnyOf(parts) | AllOf(parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield when


def sources_of(rule: AnyRule) -> dict[str, NumberSource]:
    """Where the numbers come from that a decision looks for in `Usage.numbers`, by their names."""
    match rule:
        case ScaleRule(metrics=metrics):
            return {one.name: one.source for one in metrics if isinstance(one, ScalarMetric)}
        case RestartRule(when=when):
            found = (leaf for leaf in leaves(when) if isinstance(leaf, NumberBeyond))
            return {leaf.name: leaf.source for leaf in found}
        case RebalanceRule():
            return {}
